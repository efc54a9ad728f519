package main

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// current is what go.mod says.
type current struct {
	path     string
	required []string // the paths of other modules
}

func currentPath(root string) (current, error) {
	name := filepath.Join(root, "go.mod")
	content, err := os.ReadFile(name)
	if err != nil {
		return current{}, fmt.Errorf("read the module path: %w; run this in the folder of go.mod", err)
	}
	file, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		return current{}, fmt.Errorf("read the module path: %w; repair go.mod", err)
	}
	if file.Module == nil {
		return current{}, fmt.Errorf("read the module path: %s has no module directive; add one", name)
	}
	now := current{path: file.Module.Mod.Path}
	for _, require := range file.Require {
		now.required = append(now.required, require.Mod.Path)
	}
	return now, nil
}

// checkPath rejects what the go command would not take as the path of a module that others import.
func checkPath(path string, required []string) error {
	if err := module.CheckPath(path); err != nil {
		return fmt.Errorf("check the new module path: %w; write it as in git.example.org/you/ngrokapi", err)
	}
	for _, other := range required {
		if path == other {
			return fmt.Errorf("check the new module path: %s is a module that this one requires; choose another", path)
		}
	}
	return nil
}
