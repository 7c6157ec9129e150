package config

// CreateYAML reads a text as OmegaConf.create does.
func CreateYAML(text []byte, file string) (*Node, error) {
	n, err := parseDocument(text, file)
	if err != nil {
		return nil, err
	}
	return asConfig(n)
}

// What the tests outside the package compare with.
var (
	NewText = textNode
	KeyNode = Key.value
)
