package main

import "testing"

func TestReplacePath(t *testing.T) {
	const from, to = "old.test/lib", "git.example.org/you/lib"
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{from, to},
		{"module old.test/lib\n", "module git.example.org/you/lib\n"},
		{`"old.test/lib/api"`, `"git.example.org/you/lib/api"`},
		{"old.test/lib/...", "git.example.org/you/lib/..."},
		{"old.test/lib@v1.2.3", "git.example.org/you/lib@v1.2.3"},
		{"https://pkg.test/old.test/lib#New", "https://pkg.test/git.example.org/you/lib#New"},
		{"It is old.test/lib.", "It is git.example.org/you/lib."},
		{"clone https://old.test/lib.git", "clone https://git.example.org/you/lib.git"},
		{"“old.test/lib”…", "“git.example.org/you/lib”…"},
		{"old.test/lib old.test/lib", to + " " + to},
		{"old.test/libold.test/lib", "old.test/libold.test/lib"},

		{"old.test/library", "old.test/library"},
		{"old.test/lib-go", "old.test/lib-go"},
		{"old.test/lib.v2", "old.test/lib.v2"},
		{"old.test/lib.github", "old.test/lib.github"},
		{"very.old.test/lib", "very.old.test/lib"},
		{"bold.test/lib", "bold.test/lib"},
		{"old.test/outside", "old.test/outside"},
		{"old.test", "old.test"},
	} {
		if got := replacePath(test.text, from, to); got != test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
	}
	// A path that holds the former one is not replaced within.
	if got, want := replacePath(from+"/"+from, from, "new.test/"+from), "new.test/"+from+"/new.test/"+from; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRewrite(t *testing.T) {
	const from, to = "old.test/lib", "a.test/lib"
	for _, test := range []struct{ name, file, content, want string }{
		{"imports stay in order", "a.go",
			"package a\n\nimport (\n\t\"b.test/x\"\n\t\"old.test/lib/y\" // as y\n)\n",
			"package a\n\nimport (\n\t\"a.test/lib/y\" // as y\n\t\"b.test/x\"\n)\n"},
		{"comments stay aligned", "a.go",
			"package a\n\nvar (\n\tx = \"old.test/lib\" // x\n\ty = \"something else\" // y\n)\n",
			"package a\n\nvar (\n\tx = \"a.test/lib\" // x\n\ty = \"something else\" // y\n)\n"},
		{"what is not formatted is left so", "a.go", "package  a\n\nvar x = \"old.test/lib\"\n", "package  a\n\nvar x = \"a.test/lib\"\n"},
		{"what is no Go", "a.go", "old.test/lib is {", "a.test/lib is {"},
		{"ends of lines", "a.md", "old.test/lib\r\n", "a.test/lib\r\n"},
		{"not a text", "a.bin", "old.test/lib\x00", "old.test/lib\x00"},
		{"not UTF-8", "a.bin", "old.test/lib\xff", "old.test/lib\xff"},
	} {
		if got := string(rewrite(test.file, []byte(test.content), from, to)); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
