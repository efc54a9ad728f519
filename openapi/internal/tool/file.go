package tool

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// ReplaceFile gives the file name new content in one step: whoever reads it, also after a crash, finds all of the
// old content or all of the new. A file that was there keeps its mode.
func ReplaceFile(name string, content []byte) (err error) {
	mode := os.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	temporary, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.tmp")
	if err != nil {
		return fmt.Errorf("write %s: %w; is its folder writable?", name, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w; it is as it was", name, errors.Join(err, os.Remove(temporary.Name())))
		}
	}()
	_, err = temporary.Write(content)
	if err := errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	if err := os.Chmod(temporary.Name(), mode); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), name)
}

// A Snapshot remembers the content of files, by their names, to bring it back.
type Snapshot map[string][]byte

// TakeSnapshot reads the files of the given names.
func TakeSnapshot(names ...string) (Snapshot, error) {
	taken := make(Snapshot)
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("keep a copy of what is about to change: %w", err)
		}
		taken[name] = content
	}
	return taken, nil
}

// Restore brings the files back to what they were. It leaves alone what has not changed: that may be the file whose
// folder nobody can write to.
func (s Snapshot) Restore() error {
	var failures []error
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if now, err := os.ReadFile(name); err == nil && bytes.Equal(now, s[name]) {
			continue
		}
		failures = append(failures, ReplaceFile(name, s[name]))
	}
	return errors.Join(failures...)
}
