package main

import (
	"bytes"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// file is what a file is to hold.
type file struct {
	name    string
	content []byte
}

// Folders with the memory of version control, which is not to be rewritten.
var memories = []string{".git", ".hg", ".jj", ".svn"}

// plan works out what the files below root hold when the module's path is to instead of from. It returns those that
// change, and writes nothing.
func plan(root, from, to string) ([]file, error) {
	var changed []file
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(memories, entry.Name()):
			return filepath.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if after := rewrite(name, content, from, to); !bytes.Equal(after, content) {
			changed = append(changed, file{name, after})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for the module path: %w", err)
	}
	return changed, nil
}

// rewrite returns the content of a file with another module path.
func rewrite(name string, content []byte, from, to string) []byte {
	if !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0 {
		return content
	}
	after := []byte(replacePath(string(content), from, to))
	if filepath.Ext(name) != ".go" || bytes.Equal(after, content) {
		return after
	}
	// Imports are in the order of their paths. A file that was not formatted is none that the linter looks at.
	if before, err := format.Source(content); err != nil || !bytes.Equal(before, content) {
		return after
	}
	if formatted, err := format.Source(after); err == nil {
		return formatted
	}
	return after
}

// replacePath replaces the module path from, and the start of a package path that it is, but not what merely has the
// same letters: a longer name, or a host that ends alike.
func replacePath(text, from, to string) string {
	var result strings.Builder
	done := 0
	for at := range text {
		if at < done || !strings.HasPrefix(text[at:], from) {
			continue
		}
		end := at + len(from)
		if continues(text[:at]) || isContinued(text[end:]) {
			continue
		}
		result.WriteString(text[done:at])
		result.WriteString(to)
		done = end
	}
	result.WriteString(text[done:])
	return result.String()
}

// continues reports whether a module path right after text would be the rest of a longer name.
func continues(text string) bool {
	return text != "" && (isNamePart(text[len(text)-1]) || text[len(text)-1] == '.')
}

// isContinued reports whether the last name of a module path goes on in text. A full stop may also end a sentence,
// and .git the address of a repository.
func isContinued(text string) bool {
	text = strings.TrimLeft(strings.TrimPrefix(text, ".git"), ".")
	return text != "" && isNamePart(text[0])
}

// isNamePart reports whether c can be within the name of a host or folder in a module path, apart from a full stop.
func isNamePart(c byte) bool {
	return c == '-' || c == '_' || c == '~' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
