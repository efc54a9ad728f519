package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNormalizeDropsSpelling(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"comments":       {"# head\na: 1 # line\n# foot\n", "a: 1\n"},
		"quotes":         {`{a: "x", 'b': 'true'}`, "a: x\nb: \"true\"\n"},
		"flow style":     {"a: {b: [1, 2]}\n", "a:\n  b:\n    - 1\n    - 2\n"},
		"indentation":    {"a:\n      b: 1\n", "a:\n  b: 1\n"},
		"order is kept":  {"b: 1\na: 2\n", "b: 1\na: 2\n"},
		"number as key":  {"200: a\n", "\"200\": a\n"},
		"folded text":    {"a: >\n  b\n  c\n", "a: |\n  b c\n"},
		"dates are text": {"a: 2022-03-04\n", "a: \"2022-03-04\"\n"},
		"alias":          {"a: &x {b: 1}\nc: *x\n", "a:\n  b: 1\nc:\n  b: 1\n"},
		"merge key":      {"a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n", "a:\n  b: 1\n  c: 2\nd:\n  c: 3\n  b: 1\n"},
		"merge of more":  {"a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne: {<<: [*x, *y]}\n", "a:\n  b: 1\nc:\n  b: 2\n  d: 3\ne:\n  b: 1\n  d: 3\n"},
		"crlf":           {"a: |\r\n  b\r\nc: 1\r\n", "a: |\n  b\nc: 1\n"},
		"byte order":     {"\uFEFFa: 1\n", "a: 1\n"},
		"json":           {"{\n\t\"b\": 1,\n\t\"a\": \"\\ud83d\\ude00 <&>\"\n}", "a: \"\\U0001F600 <&>\"\nb: 1\n"},
		"json numbers":   {`{"a": 9223372036854775807, "b": 1.50, "c": 1e3}`, "a: 9223372036854775807\nb: 1.50\nc: 1e3\n"},
		"document start": {"---\na: 1\n...\n", "a: 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := normalize([]byte(test.in))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != test.want {
				t.Errorf("normalize(%q) is\n%s\nwant\n%s", test.in, got, test.want)
			}
		})
	}
}

func TestNormalizeRejects(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":                   "",
		"comments only":             "# nothing\n",
		"a string":                  "not found\n",
		"a list":                    "- a\n",
		"a json list":               "[1]",
		"json that is cut short":    `{"openapi": "3.0.0", "paths": {`,
		"yaml that is cut short":    "a: \"b\n",
		"two documents":             "a: 1\n---\na: 1\n",
		"a document and a rest":     "a: 1\n...\n]\n",
		"a key given twice":         "a: 1\na: 2\n",
		"an alias of nothing":       "a: *x\n",
		"an alias within itself":    "a: &x [*x]\n",
		"an alias of the billion":   laughs(),
		"a tab where spaces go":     "a:\n\tb: 1\n",
		"bytes that are not text":   "a: \xff\xfe\n",
		"a merge of what is no map": "a: {<<: 1}\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := normalize([]byte(in)); err == nil {
				t.Errorf("normalize accepts it: %.100s", got)
			}
		})
	}
}

// laughs returns a small document of aliases of aliases, which is enormous when they are replaced.
func laughs() string {
	var document strings.Builder
	document.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := '1'; i <= '9'; i++ {
		line := strings.NewReplacer("N", string(i), "P", string(i-1))
		_, _ = line.WriteString(&document, "aN: &aN [*aP, *aP, *aP, *aP, *aP, *aP, *aP, *aP, *aP]\n")
	}
	return document.String()
}

// Whatever text a document holds comes out as it went in, and a normal document stays as it is.
func FuzzNormalizeKeepsMeaning(f *testing.F) {
	for _, text := range []string{
		"", "a", "1", "1.50", "true", "null", "~", "<<", "=", "2022-03-04", "# a", "- a", "a: b", "{}", "[", "&a", "*a",
		"a\nb\n", "a\n\n", "\na", " a\nb", "a \nb", "\ta\n", "\n", " \n", "a\r\nb", "\r", "\u2028\n", "\u0085\n", "\x00", "😀\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			t.Skip("JSON has no other strings")
		}
		if len(text) > 200 {
			t.Skip("YAML has no keys of more than 1024 bytes, escapes included")
		}
		want := map[string]any{"k": map[string]any{text: text, "l": []any{text, map[string]any{"x": text}}}}
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		normal, err := normalize(data)
		if err != nil {
			t.Fatal(err)
		}
		got, err := meaning(normal)
		if err != nil {
			t.Fatalf("%v\n%s", err, normal)
		}
		if !reflect.DeepEqual(got, any(want)) {
			t.Fatalf("%q became %q\n%s", want, got, normal)
		}
		if again, err := normalize(normal); err != nil || string(again) != string(normal) {
			t.Fatalf("%s became %s, %v", normal, again, err)
		}
	})
}

func TestIsMarkup(t *testing.T) {
	for text, want := range map[string]bool{
		"<html>":                  true,
		"\uFEFF \r\n<?xml?>":      true,
		"openapi: 3.0.0\n":        false,
		"a: <b>\n":                false,
		"":                        false,
		strings.Repeat(" ", 1000): false,
	} {
		if got := isMarkup([]byte(text)); got != want {
			t.Errorf("isMarkup(%.20q) is %v", text, got)
		}
	}
}
