package secret

import "testing"

func TestWord(t *testing.T) {
	for word, want := range map[string]string{
		"db.password=x":    "db.password=***",
		"++API_KEY='a=b'":  "++API_KEY=***",
		"--hub_token=x":    "--hub_token=***",
		"secret=":          "secret=***",
		"lr=0.1":           "lr=0.1",
		"token=3":          "token=3",
		"password":         "password",
		"secret.lr=1":      "secret.lr=1",
		"=x":               "=x",
		"tokenizer_token/": "tokenizer_token/",
	} {
		if got := Word(word); got != want {
			t.Errorf("Word(%q) = %q, want %q", word, got, want)
		}
	}
}
