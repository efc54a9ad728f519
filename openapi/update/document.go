package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// normalize returns data, which is YAML or JSON, as block-style YAML that is the same for every spelling of the
// same content in the same order: without comments, anchors, flow style and superfluous quotes. Keys that come from
// JSON are sorted.
func normalize(data []byte) ([]byte, error) {
	if json.Valid(data) {
		var err error
		if data, err = sortJSON(data); err != nil {
			return nil, err
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var node yaml.Node
	if err := decoder.Decode(&node); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.Join(errors.New("it does not end after one document"), err)
	}
	if node.Kind != yaml.DocumentNode || node.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("it holds no mapping of keys to values")
	}
	// Decoding finds what parsing lets pass: keys given twice, and aliases that are recursive or that expand to
	// something enormous.
	var content map[string]any
	if err := node.Decode(&content); err != nil {
		return nil, err
	}
	return encode(plain(&node))
}

// sortJSON returns JSON in a spelling of it that is also YAML, which has no pairs of escapes for one character, and
// allows fewer characters.
func sortJSON(data []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var content any
	if err := decoder.Decode(&content); err != nil {
		return nil, err
	}
	sorted, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, r := range string(sorted) {
		if unicode.IsGraphic(r) {
			out.WriteRune(r)
		} else {
			fmt.Fprintf(&out, `\U%08x`, r)
		}
	}
	return out.Bytes(), nil
}

// meaning returns what a document says, whatever its formatting and the order of its keys.
func meaning(data []byte) (any, error) {
	normal, err := normalize(data)
	if err != nil {
		return nil, err
	}
	var content any
	if err := yaml.Unmarshal(normal, &content); err != nil {
		return nil, err
	}
	return content, nil
}

func encode(node *yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(node), encoder.Close()); err != nil {
		return nil, fmt.Errorf("write yaml: %w", err)
	}
	return out.Bytes(), nil
}

// plain returns a copy of node that holds its content only.
func plain(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return plain(node.Alias)
	}
	result := &yaml.Node{Kind: node.Kind, Tag: node.Tag, Value: node.Value}
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!timestamp" {
		// JSON has no dates: what looks like one is a string.
		result.Tag = "!!str"
	}
	if node.Value == "<<" || strings.HasPrefix(node.Value, "\t") {
		// Otherwise the encoder writes a merge key, or a block of text that YAML can't tell from wrong indentation.
		result.Style = yaml.DoubleQuotedStyle
	}
	if node.Kind == yaml.MappingNode {
		result.Content = pairs(node)
		return result
	}
	for _, child := range node.Content {
		result.Content = append(result.Content, plain(child))
	}
	return result
}

// pairs returns the keys and values of a mapping in turn. Keys are strings, as in JSON, also where YAML reads a
// number, as in a response's 200. What the mapping merges from others follows its own keys.
func pairs(mapping *yaml.Node) []*yaml.Node {
	var own, merged []*yaml.Node
	for i := 0; i < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], plain(mapping.Content[i+1])
		switch {
		case key.ShortTag() != "!!merge":
			key = plain(key)
			key.Tag = "!!str"
			own = append(own, key, value)
		case value.Kind == yaml.SequenceNode:
			for _, each := range value.Content {
				merged = append(merged, each.Content...)
			}
		default:
			merged = append(merged, value.Content...)
		}
	}
	for i := 0; i < len(merged); i += 2 {
		if !hasKey(own, merged[i].Value) {
			own = append(own, merged[i], merged[i+1])
		}
	}
	return own
}

func hasKey(pairs []*yaml.Node, key string) bool {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i].Value == key {
			return true
		}
	}
	return false
}

// isMarkup reports whether data is HTML or XML, as an error page or a page about the document is.
func isMarkup(data []byte) bool {
	return strings.HasPrefix(strings.TrimLeft(string(data[:min(len(data), 512)]), " \t\r\n\uFEFF"), "<")
}
