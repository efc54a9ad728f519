package main

import "testing"

func TestSplitHeader(t *testing.T) {
	for name, test := range map[string]struct{ in, header, document string }{
		"header":        {"# a\n#\n# b\nopenapi: 3\n# c\n", "# a\n#\n# b\n", "openapi: 3\n# c\n"},
		"no header":     {"openapi: 3\n# c\n", "", "openapi: 3\n# c\n"},
		"nothing else":  {"# a", "# a\n", ""},
		"windows lines": {"# a\r\n#\r\nopenapi: 3\r\n", "# a\n#\n", "openapi: 3\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			header, document := splitHeader([]byte(test.in))
			if header != test.header || string(document) != test.document {
				t.Errorf("splitHeader(%q) is %q and %q", test.in, header, document)
			}
		})
	}
}

func TestHeaderSource(t *testing.T) {
	for header, want := range map[string]string{
		"# Source: https://a.invalid/b\n":              "https://a.invalid/b",
		"# x\n# Source:    https://a.invalid/b\n# y\n": "https://a.invalid/b",
		"# x\n": "",
		"":      "",
	} {
		if got := headerSource(header); got != want {
			t.Errorf("headerSource(%q) is %q", header, got)
		}
	}
}

func TestStampHeader(t *testing.T) {
	const stamp = "# Retrieved: 2026-11-22\n# SHA-256:   abc\n"
	for name, test := range map[string]struct{ in, want string }{
		"first sum":  {"# a\n# Retrieved: 2025-08\n#\n# b\n", "# a\n" + stamp + "#\n# b\n"},
		"next sum":   {"# a\n# Retrieved: 2025-08\n# SHA-256:   123\n# b\n", "# a\n" + stamp + "# b\n"},
		"sum above":  {"# SHA-256: 123\n# a\n# Retrieved: 2025-08\n", "# a\n" + stamp},
		"no date":    {"# a\n", "# a\n" + stamp},
		"no header":  {"", stamp},
		"stamped":    {"# a\n" + stamp, "# a\n" + stamp},
		"dollar too": {"# $1\n# Retrieved: $1\n", "# $1\n" + stamp},
	} {
		t.Run(name, func(t *testing.T) {
			if got := stampHeader(test.in, "2026-11-22", "abc"); got != test.want {
				t.Errorf("it is\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}
