// Package secret says which values are not for every eye: what stands under a
// key such as api_key is masked wherever mlxp lists values.
package secret

import "strings"

// Mask is shown in place of a secret text.
const Mask = "***"

// Key tells whether texts under a key are secret: its last part is password,
// secret or api_key, or ends in _token. parts are those of the key.
func Key(parts ...string) bool {
	if len(parts) == 0 {
		return false
	}
	last := strings.ToLower(parts[len(parts)-1])
	return last == "password" || last == "secret" || last == "api_key" || strings.HasSuffix(last, "_token")
}

// Word masks the value of a word such as "db.password=x" or "--api_key=x", if its
// key is secret. Any other word is returned as it is.
func Word(word string) string {
	key, _, ok := strings.Cut(word, "=")
	if !ok || !Key(strings.FieldsFunc(strings.TrimLeft(key, "-+~"), func(r rune) bool { return r == '.' || r == '/' })...) {
		return word
	}
	return key + "=" + Mask
}
