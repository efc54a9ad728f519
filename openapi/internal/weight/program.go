package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed programs
var programs embed.FS

// A runner runs the go command in a folder, with additions to the environment, and returns its output.
type runner func(ctx context.Context, folder string, env []string, args ...string) (string, error)

func goCommand(ctx context.Context, folder string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return string(out), nil
}

// A program is one of the two, in a module of its own, and what it was found to weigh.
type program struct {
	command runner
	folder  string
	cache   string // of compiled packages, its own
	env     []string

	modules  []string // that the program's packages are from, besides its own
	packages []string // beyond the standard library and the program itself
	standard []string // packages of the standard library
	sumLines int      // in go.sum
	bytes    int64    // of the stripped binary
	compile  time.Duration
}

// module is this module, as go list sees it.
type module struct{ path, folder, goVersion string }

// thisModule returns the module that the current folder is in.
func thisModule(ctx context.Context, command runner) (module, error) {
	out, err := command(ctx, "", []string{"GOWORK=off"}, "list", "-m", "-f", "{{.Path}}\n{{.Dir}}\n{{.GoVersion}}")
	if err != nil {
		return module{}, fmt.Errorf("find this module: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(out, "\r\n", "\n")), "\n")
	if len(lines) != 3 {
		return module{}, errors.New("find this module: there is none here: run this in its folder")
	}
	return module{lines[0], lines[1], lines[2]}, nil
}

// newProgram writes the program of that name to a new folder within parent, and resolves its dependencies.
func newProgram(ctx context.Context, command runner, parent, name string, this module) (*program, error) {
	p := &program{command: command, folder: filepath.Join(parent, name), cache: filepath.Join(parent, name+"-cache")}
	// A C compiler is no part of what is measured.
	p.env = []string{"GOWORK=off", "CGO_ENABLED=0", "GOCACHE=" + p.cache}
	text, err := programs.ReadFile("programs/" + name + ".txt")
	if err != nil {
		return nil, fmt.Errorf("read the program %s: %w", name, err)
	}
	goMod := fmt.Sprintf("module weight\n\ngo %s\n", this.goVersion)
	if strings.Contains(string(text), this.path) {
		goMod += fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %q\n", this.path, this.path, this.folder)
	}
	if err := os.Mkdir(p.folder, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for the program %s: %w", name, err)
	}
	for file, content := range map[string]string{"main.go": string(text), "go.mod": goMod} {
		if err := os.WriteFile(filepath.Join(p.folder, file), []byte(content), 0o600); err != nil {
			return nil, fmt.Errorf("write the program %s: %w", name, err)
		}
	}
	if _, err := p.run(ctx, "mod", "tidy"); err != nil {
		return nil, fmt.Errorf("resolve the dependencies of the program %s: %w", name, err)
	}
	return p, nil
}

func (p *program) run(ctx context.Context, args ...string) (string, error) {
	return p.command(ctx, p.folder, p.env, args...)
}
