package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// replaceFile gives the file name new content in one step: whoever reads it, also after a crash, finds all of the
// old content or all of the new.
func replaceFile(name string, content []byte) (err error) {
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

// snapshot remembers the content of files, to bring it back.
type snapshot map[string][]byte

// takeSnapshot reads the files of the given names.
func takeSnapshot(names ...string) (snapshot, error) {
	taken := make(snapshot)
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("keep a copy of what is about to change: %w", err)
		}
		taken[name] = content
	}
	return taken, nil
}

// restore brings the files back to what they were.
func (s snapshot) restore() error {
	var failures []error
	for name, content := range s {
		failures = append(failures, replaceFile(name, content))
	}
	return errors.Join(failures...)
}
