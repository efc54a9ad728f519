package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Three rounds, the second of them slowed down as a whole.
const output = `goos: linux
goarch: amd64
pkg: example.com/x/api
cpu: Some CPU
BenchmarkGet/in-memory/row=floor-2 	 100 	 1000 ns/op 	 4000 B/op 	 42 allocs/op
BenchmarkGet/in-memory/row=client-2 	 100 	 1200 ns/op 	 6000 B/op 	 58 allocs/op
BenchmarkGet/in-memory/row=floor-2 	 100 	 9000 ns/op 	 4000 B/op 	 42 allocs/op
BenchmarkGet/in-memory/row=client-2 	 100 	 9900 ns/op 	 6000 B/op 	 58 allocs/op
BenchmarkGet/in-memory/row=floor-2 	 100 	 2000 ns/op 	 4000 B/op 	 42 allocs/op
BenchmarkGet/in-memory/row=client-2 	 100 	 2800 ns/op 	 6000 B/op 	 58 allocs/op
BenchmarkGet/http1/callers=64/row=floor-2 	 100 	 2000 ns/op 	 0.5 conns/op 	 4000 B/op 	 42 allocs/op
BenchmarkGet/http1/callers=64/row=client-2 	 100 	 800 ns/op 	 0.0021 conns/op 	 4000 B/op 	 40 allocs/op
BenchmarkLarge/chunked/row=floor 	 100 	 2000 ns/op 	 1000 body-B/op 	 4000 B/op 	 42 allocs/op
BenchmarkRegenerate/operations=1-2 	 1 	 1 ns/op 	 2.0 generate-s/op 	 0.5 update-s/op
BenchmarkRegenerate/operations=50-2 	 1 	 1 ns/op 	 3.0 generate-s/op 	 1.5 update-s/op
PASS
ok  	example.com/x/api	1.0s
`

func TestTable(t *testing.T) {
	var stdout bytes.Buffer
	if err := run(nil, strings.NewReader(output), &stdout); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(stdout.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	got := strings.Join(lines, "\n")
	for _, want := range []string{
		"goos: linux, goarch: amd64, cpu: Some CPU, processors: 2",
		// The median of 1.2, 1.1 and 1.4, not the ratio of the medians.
		"Get/in-memory floor 2µs 4000 42",
		"Get/in-memory client 2.8µs 1.20 1.15–1.30 1.20 ≤ 1.25 6000 1.50 58 +16 ≤ +16",
		"Get/http1/callers=64 client 800ns 0.40 0.40–0.40 0.40 ≤ 0.50 4000 1.00 40 -2 2.1",
		"Large/chunked floor 2µs 4000 4.00 42",
		"Medians of 3 rounds;",
		"operations: 1 2.0 s 1.0× 0.5 s 1.0×",
		"operations: 50 3.0 s 1.5× 1.5 s 3.0×",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the table has no %q:\n%s", want, stdout.String())
		}
	}
}

func TestFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "bench.out")
	if err := os.WriteFile(name, []byte(output), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	if err := run([]string{name, name}, nil, &stdout); err != nil || !strings.Contains(stdout.String(), "of 6 rounds") {
		t.Errorf("got %v and\n%s\nwant a table of 6 rounds", err, &stdout)
	}
	if err := run([]string{name + ".none"}, nil, &stdout); err == nil || !strings.Contains(err.Error(), "go test -bench") {
		t.Errorf("no file: got %v, want what to do about it", err)
	}
}

func TestRejects(t *testing.T) {
	for name, test := range map[string]struct{ output, want string }{
		"nothing":          {"", "no benchmark"},
		"failed benchmark": {output + "--- FAIL: BenchmarkGet\n", "failed"},
		"no number":        {"BenchmarkGet/row=floor-2 1 x ns/op\n", "ns/op"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(nil, strings.NewReader(test.output), &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}
