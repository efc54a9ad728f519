package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// builds is how often each program is built. The fastest build is the one that was disturbed least.
const builds = 3

// weigh measures both programs in folders within temporary.
func weigh(ctx context.Context, command runner, temporary string) (floor, client *program, err error) {
	this, err := thisModule(ctx, command)
	if err != nil {
		return nil, nil, err
	}
	var measured []*program
	for _, name := range []string{"floor", "client"} {
		p, err := newProgram(ctx, command, temporary, name, this)
		if err != nil {
			return nil, nil, err
		}
		if err := errors.Join(p.list(ctx), p.countSums()); err != nil {
			return nil, nil, fmt.Errorf("count what the program %s is made of: %w", name, err)
		}
		measured = append(measured, p)
	}
	// In turns, as the machine can be slower at one time than at another.
	for range builds {
		for _, p := range measured {
			if err := p.build(ctx); err != nil {
				return nil, nil, fmt.Errorf("build the program in %s: %w", p.folder, err)
			}
		}
	}
	return measured[0], measured[1], nil
}

// list finds the packages that the program compiles, and the modules that they are from.
func (p *program) list(ctx context.Context) error {
	const format = "{{.Standard}} {{.ImportPath}} {{with .Module}}{{.Path}} {{.Main}}{{end}}"
	out, err := p.run(ctx, "list", "-deps", "-f", format, ".")
	if err != nil {
		return err
	}
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		switch {
		case len(fields) < 2:
		case fields[0] == "true":
			p.standard = append(p.standard, fields[1])
		case len(fields) == 4 && fields[3] == "false":
			p.packages = append(p.packages, fields[1])
			p.modules = append(p.modules, fields[2])
		}
	}
	slices.Sort(p.modules)
	p.modules = slices.Compact(p.modules)
	return nil
}

// countSums counts the lines of go.sum, which is not there without dependencies.
func (p *program) countSums() error {
	sums, err := os.ReadFile(filepath.Join(p.folder, "go.sum"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the checksums: %w", err)
	}
	p.sumLines = bytes.Count(sums, []byte("\n"))
	return nil
}

// build builds the program with nothing compiled before, the standard library included, and takes the time.
func (p *program) build(ctx context.Context) error {
	name := "program"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if err := os.RemoveAll(p.cache); err != nil {
		return fmt.Errorf("remove what was compiled before: %w", err)
	}
	start := time.Now()
	if _, err := p.run(ctx, "build", "-trimpath", "-ldflags", "-s -w", "-o", name, "."); err != nil {
		return err
	}
	if took := time.Since(start); p.compile == 0 || took < p.compile {
		p.compile = took
	}
	info, err := os.Stat(filepath.Join(p.folder, name))
	if err != nil {
		return fmt.Errorf("measure the binary: %w", err)
	}
	p.bytes = info.Size()
	return nil
}
