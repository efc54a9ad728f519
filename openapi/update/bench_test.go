package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"example.com/ngrokapi/openapi/internal/tool"
)

// BenchmarkRegenerate measures how the time to follow upstream grows with the number of operations: to cut them out
// of the whole document, and to generate the client from them with what is already built. If UPSTREAM does not name
// the whole document, it only generates the client from the vendored fragment.
func BenchmarkRegenerate(b *testing.B) {
	vendored := readFile(b, filepath.Join("..", "ngrok.yaml"))
	kept, err := operationsOf([]byte(vendored))
	if err != nil {
		b.Fatal(err)
	}
	if os.Getenv("UPSTREAM") == "" {
		benchmarkRegenerate(b, vendored, request{}, len(kept))
		return
	}
	file := wholeUpstream(b)
	all, err := operationsOf([]byte(readFile(b, file)))
	if err != nil {
		b.Fatal(err)
	}
	others := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(kept, name) })
	for _, n := range []int{len(kept), 50, len(all)} {
		// From all over the document.
		add := make([]string, max(0, n-len(kept)))
		for i := range add {
			add[i] = others[i*len(others)/len(add)]
		}
		benchmarkRegenerate(b, vendored, request{upstream: file, add: add}, len(kept)+len(add))
	}
}

func benchmarkRegenerate(b *testing.B, vendored string, asked request, n int) {
	folder := b.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "gen.go", "oapi-codegen.yaml", "openapi/overlay.yaml"} {
		writeFile(b, filepath.Join(folder, name), readFile(b, filepath.Join("..", "..", name)))
	}
	writeFile(b, filepath.Join(folder, clientFile), "package api\n")
	u := updater{root: folder, source: newSource(), today: func() string { return "2026-11-22" }}
	update := func() {
		if asked.upstream == "" {
			return
		}
		prepared, err := u.prepare(b.Context(), asked)
		if err == nil {
			err = u.write(prepared)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	generate := func() {
		if err := tool.GoCommand(b.Context(), folder, io.Discard, "generate", "./..."); err != nil {
			b.Fatal(err)
		}
	}
	writeFile(b, filepath.Join(folder, vendoredFile), vendored)
	generate() // builds the generator
	b.Run(fmt.Sprintf("operations=%d", n), func(b *testing.B) {
		var updating, generating time.Duration
		for b.Loop() {
			writeFile(b, filepath.Join(folder, vendoredFile), vendored)
			start := time.Now()
			update()
			updated := time.Now()
			generate()
			updating += updated.Sub(start)
			generating += time.Since(updated)
		}
		if asked.upstream != "" {
			b.ReportMetric(updating.Seconds()/float64(b.N), "update-s/op")
		}
		b.ReportMetric(generating.Seconds()/float64(b.N), "generate-s/op")
	})
}
