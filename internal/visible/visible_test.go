package visible

import "testing"

func TestText(t *testing.T) {
	if got := Text("a\x1b[31mé\n\x7f\u0085\xff\t"); got != "a␛[31mé␊␡\ufffd\ufffd␉" {
		t.Errorf("Text = %q", got)
	}
}
