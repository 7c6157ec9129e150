package logdir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
)

// ErrNoRecord is the error for a directory without a readable record: no run
// was ever created there.
var ErrNoRecord = errors.New("no readable record")

// encodeRecord writes a record, a pointer to [Info] or [Job], with a line for each
// field that is known: its JSON name and its value as JSON.
func encodeRecord(record any) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	v := reflect.ValueOf(record).Elem()
	for i := range v.NumField() {
		name, opts, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		field := v.Field(i)
		if opts != "" && (field.IsZero() || opts == "omitempty" && field.Kind() == reflect.Slice && field.Len() == 0) {
			continue
		}
		text.WriteString(name)
		text.WriteString(": ")
		if err := enc.Encode(field.Interface()); err != nil { // ends the line
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return text.Bytes(), nil
}

// RecordJSON turns the text of an info.yaml or job.yaml into one JSON object,
// keys in their order. Blank lines and comments are passed over.
func RecordJSON(text []byte) ([]byte, error) {
	out := make([]byte, 0, len(text)+64)
	out = append(out, '{')
	for n := 1; len(text) > 0; n++ {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			return nil, fmt.Errorf("line %d is cut off", n) // the last write was not ours: we replace whole files
		}
		line := text[:end]
		text = text[end+1:]
		if len(bytes.TrimSpace(line)) == 0 || line[0] == '#' {
			continue
		}
		key, value, ok := bytes.Cut(line, []byte(": "))
		if !ok || !json.Valid(value) || bytes.ContainsAny(key, "\"\\ \t") {
			return nil, fmt.Errorf("line %d is not a key with a JSON value", n)
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, key...)
		out = append(out, `":`...)
		out = append(out, value...)
	}
	return append(out, '}'), nil
}

// ReadInfo reads the run's record. The error wraps [ErrNoRecord] if there is
// none or it is not whole.
func (r Run) ReadInfo() (*Info, error) {
	info, _, err := r.readInfo()
	return info, err
}

// readInfo is ReadInfo that returns the file as well.
func (r Run) readInfo() (*Info, *File, error) {
	path := r.Path(InfoYAML)
	file, err := ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("run %d: %w: %s does not exist", r.ID, ErrNoRecord, path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("run %d: %w", r.ID, err)
	}
	info, err := decodeInfo(file.Text)
	if err != nil {
		return nil, nil, fmt.Errorf("run %d: %w: %s: %w", r.ID, ErrNoRecord, path, err)
	}
	return info, file, nil
}

func decodeInfo(text []byte) (*Info, error) {
	object, err := RecordJSON(text)
	if err != nil {
		return nil, err
	}
	info := new(Info)
	if err := json.Unmarshal(object, info); err != nil {
		return nil, err
	}
	if info.Schema < 1 || info.Status == "" {
		return nil, errors.New("it lacks schema or status")
	}
	if info.Schema > Schema {
		return nil, fmt.Errorf("schema %d was written by a newer mlxp", info.Schema)
	}
	return info, nil
}

// WriteInfo replaces the run's record, durably: when it returns, the record is
// on the disk. Only the run's one writer may call it (see [Info]).
func (r Run) WriteInfo(info *Info) error {
	text, err := encodeRecord(info)
	if err != nil {
		return fmt.Errorf("run %d: record: %w", r.ID, err)
	}
	return ReplaceFile(r.Path(InfoYAML), text)
}
