package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// strftime formats t as Python's datetime.strftime does in the C locale. A
// directive that it does not know stays as it is.
func strftime(t time.Time, pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' || i == len(pattern)-1 {
			b.WriteByte(pattern[i])
			continue
		}
		i++
		if pattern[i] == '-' && i+1 < len(pattern) { // GNU: no padding
			i++
			text := strings.TrimLeft(directiveText(t, pattern[i]), "0 ")
			if text == "" {
				text = "0"
			}
			b.WriteString(text)
			continue
		}
		b.WriteString(directiveText(t, pattern[i]))
	}
	return b.String()
}

// timeLayouts are the directives that Go's layouts know.
var timeLayouts = map[byte]string{
	'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", 'f': "000000",
	'y': "06", 'j': "002", 'I': "03", 'p': "PM", 'e': "_2", 'F': "2006-01-02", 'T': "15:04:05", 'R': "15:04",
	'D': "01/02/06", 'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January",
	'c': "Mon Jan _2 15:04:05 2006", 'x': "01/02/06", 'X': "15:04:05", 'r': "03:04:05 PM",
}

func directiveText(t time.Time, c byte) string {
	if layout, ok := timeLayouts[c]; ok {
		if c == 'f' {
			return fmt.Sprintf("%06d", t.Nanosecond()/1000)
		}
		return t.Format(layout)
	}
	weekday := int(t.Weekday())
	switch c {
	case '%':
		return "%"
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case 's':
		return strconv.FormatInt(t.Unix(), 10)
	case 'w':
		return strconv.Itoa(weekday)
	case 'u':
		return strconv.Itoa((weekday+6)%7 + 1)
	case 'C':
		return fmt.Sprintf("%02d", t.Year()/100)
	case 'U': // weeks that begin on a Sunday
		return fmt.Sprintf("%02d", (t.YearDay()+6-weekday)/7)
	case 'W':
		return fmt.Sprintf("%02d", (t.YearDay()+6-(weekday+6)%7)/7)
	case 'G', 'V', 'g':
		year, week := t.ISOWeek()
		switch c {
		case 'G':
			return strconv.Itoa(year)
		case 'g':
			return fmt.Sprintf("%02d", year%100)
		}
		return fmt.Sprintf("%02d", week)
	case 'k':
		return fmt.Sprintf("%2d", t.Hour())
	case 'l':
		return fmt.Sprintf("%2d", (t.Hour()+11)%12+1)
	case 'P':
		return strings.ToLower(t.Format("PM"))
	case 'z', 'Z': // Hydra's time has no zone
		return ""
	}
	return "%" + string(c)
}
