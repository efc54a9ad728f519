package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// mod is what go.mod says of a module.
type mod struct {
	path      string
	goVersion string // the oldest Go that compiles it
}

func readModule(root string) (mod, error) {
	content, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return mod{}, fmt.Errorf("read go.mod: %w; run this in its folder", err)
	}
	file, err := modfile.ParseLax("go.mod", content, nil)
	if err != nil {
		return mod{}, fmt.Errorf("read go.mod: %w; repair it", err)
	}
	if file.Module == nil {
		return mod{}, fmt.Errorf("read go.mod: %s has no module directive; add one", root)
	}
	read := mod{path: file.Module.Mod.Path}
	if file.Go != nil {
		read.goVersion = file.Go.Version
	}
	return read, nil
}

// checkVersion rejects what the go command would not take as a version of the module at path.
func checkVersion(version, path string) error {
	if semver.Canonical(version) != version {
		return fmt.Errorf("check %s: it is not a version in the form v1.2.3 or v1.3.0-rc.1; write all three numbers", version)
	}
	_, major, ok := module.SplitPathVersion(path)
	if !ok {
		return fmt.Errorf("check %s: the module path %s is malformed; give it another with make module-path", version, path)
	}
	if module.CheckPathMajor(version, major) != nil {
		return fmt.Errorf("check %s: the module path is %s; version %s needs %s, which make module-path MODULE=… writes",
			version, path, version, pathFor(path, semver.Major(version)))
	}
	return nil
}

// pathFor returns the path that a module has in the given major version, such as "v2".
func pathFor(path, major string) string {
	prefix, _, _ := module.SplitPathVersion(path)
	if strings.HasPrefix(path, "gopkg.in/") {
		return prefix + "." + major
	}
	if major == "v0" || major == "v1" {
		return prefix
	}
	return prefix + "/" + major
}
