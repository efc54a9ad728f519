package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parse returns the content of an OpenAPI 3 document in YAML or JSON.
func parse(data []byte) (map[string]any, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(escapedForYAML(data), &node); err != nil {
		return nil, err
	}
	if err := makeJSON(&node, "", false); err != nil {
		return nil, err
	}
	var content map[string]any
	if err := node.Decode(&content); err != nil {
		return nil, err
	}
	if version, _ := content["openapi"].(string); !strings.HasPrefix(version, "3.") {
		return nil, errors.New(`the field openapi must be a string such as "3.0.0"`)
	}
	return content, nil
}

// escapedForYAML returns JSON with the escapes that YAML has too: it has no pairs of them for one character. All else
// is returned as it is.
func escapedForYAML(data []byte) []byte {
	var content any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // A float64 does not hold every integer.
	if err := decoder.Decode(&content); err != nil || decoder.More() {
		return data
	}
	escaped, err := json.Marshal(content)
	if err != nil {
		return data
	}
	return escaped
}

// makeJSON gives each scalar in node the type that it has in JSON. Keys and dates are strings. So is a number in the schema
// of a string, in its own spelling: 1.10 is not 1.1 there. Any other scalar that JSON does not have is an error.
func makeJSON(node *yaml.Node, path string, isText bool) error {
	if node.Kind == yaml.ScalarNode {
		switch tag := node.ShortTag(); {
		case tag == "!!timestamp" || isText && tag != "!!null" && tag != "!!bool":
			node.Tag = "!!str"
		case !isJSON(node):
			return fmt.Errorf("%s: JSON has no such value as %s, or no such number; if it is a string, quote it", path, node.Value)
		}
	}
	for i, child := range node.Content {
		at, text := path, isText
		switch {
		case node.Kind == yaml.SequenceNode:
			at = fmt.Sprintf("%s/%d", path, i)
		case node.Kind == yaml.MappingNode && i%2 == 0:
			if child.ShortTag() != "!!merge" {
				child.Tag = "!!str"
			}
			continue
		case node.Kind == yaml.MappingNode:
			key := node.Content[i-1].Value
			at = path + "/" + key
			text = slices.Contains([]string{"const", "default", "enum", "example", "examples"}, key) && isStringSchema(node)
		}
		if err := makeJSON(child, at, text); err != nil {
			return err
		}
	}
	return nil
}

// isJSON reports whether a scalar is one of JSON, and a number that does not lose digits.
func isJSON(node *yaml.Node) bool {
	isLiteral := json.Valid([]byte(node.Value))
	switch node.ShortTag() {
	case "!!null", "!!bool":
		return true
	case "!!str":
		return node.Style != 0 || !isLiteral // YAML takes a number that overflows for a string
	case "!!int":
		return isLiteral
	case "!!float":
		return isLiteral && strings.ContainsAny(node.Value, ".eE") // else an integer that is too large
	}
	return false
}

// isStringSchema reports whether node is the schema of a string, which may also be null.
func isStringSchema(node *yaml.Node) bool {
	var schema struct{ Type any }
	err := node.Decode(&schema)
	return err == nil && slices.Contains([]string{"string", "[string]", "[string null]", "[null string]"}, fmt.Sprint(schema.Type))
}

// format returns content as YAML with sorted keys and without comments and anchors. The same content has the same
// bytes, whether upstream has it in YAML or in JSON.
func format(content map[string]any) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	err := errors.Join(encoder.Encode(content), encoder.Close())
	return out.Bytes(), err
}
