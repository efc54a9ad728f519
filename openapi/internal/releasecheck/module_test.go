package main

import (
	"strings"
	"testing"
)

func TestCheckVersion(t *testing.T) {
	for _, test := range []struct{ version, path, want string }{ // want in the error, "" for none
		{"v0.1.0", "new.test/lib", ""},
		{"v1.2.3-rc.1", "new.test/lib", ""},
		{"v2.0.0", "new.test/lib/v2", ""},
		{"v1.0.0", "gopkg.in/lib.v1", ""},
		{"1.2.3", "new.test/lib", "form v1.2.3"},
		{"v1.2", "new.test/lib", "all three numbers"},
		{"v01.2.3", "new.test/lib", "form v1.2.3"},
		{"v1.2.3+build", "new.test/lib", "form v1.2.3"},
		{"v2.0.0", "new.test/lib", "needs new.test/lib/v2"},
		{"v1.0.0", "new.test/lib/v2", "needs new.test/lib,"},
		{"v3.0.0", "new.test/lib/v2", "needs new.test/lib/v3"},
		{"v2.0.0", "gopkg.in/lib.v1", "needs gopkg.in/lib.v2"},
	} {
		err := checkVersion(test.version, test.path)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s of %s: got %v", test.version, test.path, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s of %s: got %v, want an error with %q", test.version, test.path, err, test.want)
		}
	}
}

func TestReadModule(t *testing.T) {
	for _, test := range []struct{ content, want string }{
		{"go 1.25.0\n", "no module directive"},
		{"module", "repair it"},
	} {
		r := newRepository(t)
		r.write("go.mod", test.content)
		if _, err := readModule(r.folder); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got %v, want an error with %q", test.content, err, test.want)
		}
	}
	if _, err := readModule(t.TempDir()); err == nil || !strings.Contains(err.Error(), "run this in its folder") {
		t.Errorf("without go.mod: got %v", err)
	}
}
