package main

import (
	"strings"
	"testing"
)

func TestCheckPath(t *testing.T) {
	required := []string{"old.test/dependency"}
	for _, test := range []struct{ path, want string }{ // want in the error, "" for none
		{"git.example.org/you/ngrokapi", ""},
		{"git.example.org/you/ngrokapi/v2", ""},
		{"github.com/You/ngrok_api", ""},
		{"gopkg.in/ngrokapi.v1", ""},
		{"ngrokapi", "dot in first path element"},
		{"https://git.example.org/you/ngrokapi", "double slash"},
		{"git.example.org/you/ngrokapi@v1.0.0", "invalid char '@'"},
		{"git.example.org/you/ngrok api", "invalid char ' '"},
		{"git.example.org/you/ngrokapi/", "trailing slash"},
		{"/git.example.org/you", "empty path element"},
		{"git.example.org//ngrokapi", "double slash"},
		{"git.example.org/../ngrokapi", "path element"},
		{`git.example.org\you`, `invalid char '\\'`},
		{"Git.example.org/you/ngrokapi", "invalid char 'G'"},
		{"git.example.org/you/ngrokapi/v1", "invalid version"},
		{"old.test/dependency", "requires"},
	} {
		err := checkPath(test.path, required)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: got %v", test.path, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want an error with %q", test.path, err, test.want)
		}
	}
}

func TestCurrentPath(t *testing.T) {
	for _, test := range []struct{ name, mod, path, want string }{ // want in the error
		{"module", "module old.test/lib\n\ngo 1.25.0\n\nrequire old.test/dependency v1.0.0\n", "old.test/lib", ""},
		{"quoted", "module \"old.test/lib\"\n", "old.test/lib", ""},
		{"no directive", "go 1.25.0\n", "", "module directive"},
		{"not go.mod", "{}\n", "", "repair go.mod"},
	} {
		root := folder(t, map[string]string{"go.mod": test.mod})
		now, err := currentPath(root)
		if now.path != test.path || test.want == "" && err != nil ||
			test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %q, %v", test.name, now.path, err)
		}
	}
	if _, err := currentPath(t.TempDir()); err == nil || !strings.Contains(err.Error(), "folder of go.mod") {
		t.Errorf("without go.mod: got %v", err)
	}
}
