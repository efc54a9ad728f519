package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parse returns the content of an OpenAPI 3 document in YAML or JSON, without the extensions that give orders to Go
// generators: those are for overlay.yaml.
func parse(data []byte) (map[string]any, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(escapedForYAML(data), &node); err != nil {
		return nil, err
	}
	makeKeysStrings(&node)
	var content map[string]any
	if err := node.Decode(&content); err != nil {
		return nil, err
	}
	if version, _ := content["openapi"].(string); !strings.HasPrefix(version, "3.") {
		return nil, errors.New(`it does not say "openapi: 3"`)
	}
	removeGoExtensions(content)
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

// makeKeysStrings makes strings of keys such as 200, which is a number in YAML and a string in JSON.
func makeKeysStrings(node *yaml.Node) {
	for i, child := range node.Content {
		if isKey := node.Kind == yaml.MappingNode && i%2 == 0; isKey && child.ShortTag() != "!!merge" {
			child.Tag = "!!str"
		}
		makeKeysStrings(child)
	}
}

func removeGoExtensions(value any) {
	switch value := value.(type) {
	case map[string]any:
		maps.DeleteFunc(value, func(key string, _ any) bool { return strings.HasPrefix(key, "x-go-") })
		for _, each := range value {
			removeGoExtensions(each)
		}
	case []any:
		for _, each := range value {
			removeGoExtensions(each)
		}
	}
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
