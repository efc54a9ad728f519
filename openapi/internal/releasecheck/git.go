package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// tags are the versions that git has.
type tags struct {
	all  []string // in no particular order
	held []string // by the current commit, from the least to the greatest
}

// last returns the last release, which is not a pre-release; "" if there is none.
func (t tags) last() string {
	for _, tag := range slices.Backward(t.held) {
		if semver.Prerelease(tag) == "" {
			return tag
		}
	}
	return ""
}

// releaseTags returns the tags that the go command takes for versions.
func releaseTags(ctx context.Context, root string) (tags, error) {
	shallow, err := git(ctx, root, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return tags{}, fmt.Errorf("look for the last release: %w", err)
	}
	if strings.TrimSpace(shallow) == "true" {
		return tags{}, errors.New("look for the last release: this clone holds no history: run git fetch --unshallow --tags")
	}
	all, err := git(ctx, root, "tag", "--list")
	if err != nil {
		return tags{}, fmt.Errorf("look for the last release: %w", err)
	}
	found := tags{all: versions(all)}
	if len(found.all) == 0 {
		// A repository without a commit has none that could hold a tag.
		return found, nil
	}
	held, err := git(ctx, root, "tag", "--list", "--merged", "HEAD")
	if err != nil {
		return tags{}, fmt.Errorf("look for the last release: %w", err)
	}
	found.held = versions(held)
	semver.Sort(found.held)
	return found, nil
}

// versions returns the lines that are versions in the form that the go command wants.
func versions(lines string) []string {
	return slices.DeleteFunc(strings.Fields(lines), func(tag string) bool { return semver.Canonical(tag) != tag })
}

// checkOut puts the files of a tag into a folder, which must be there.
func checkOut(ctx context.Context, root, tag, folder string) error {
	archive, err := git(ctx, root, "archive", "--format=tar", tag)
	if err != nil {
		return fmt.Errorf("read the files of %s: %w", tag, err)
	}
	// The archive has what the module's folder holds, also if the repository starts further up.
	if err := extract(strings.NewReader(archive), folder); err != nil {
		return fmt.Errorf("read the files of %s: %w", tag, err)
	}
	return nil
}

func extract(archive io.Reader, folder string) error {
	files := tar.NewReader(archive)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if !fs.ValidPath(header.Name) {
			return fmt.Errorf("%q is not a path within the repository", header.Name)
		}
		name := filepath.Join(folder, filepath.FromSlash(header.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		content, err := io.ReadAll(files)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			return err
		}
	}
}

// git runs git and returns what it prints.
func git(ctx context.Context, root string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = root
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	switch err := cmd.Run(); {
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("run git: %w; install it", err)
	case err != nil:
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}
