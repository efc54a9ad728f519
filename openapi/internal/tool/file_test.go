package tool

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplaceFileLeavesNothingElse(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "a.yaml")
	for _, content := range []string{"new", "newer", ""} {
		if err := ReplaceFile(name, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got := readFile(t, name); got != content {
			t.Errorf("it holds %q, want %q", got, content)
		}
	}
	wantAlone(t, folder, "a.yaml")
}

func TestReplaceFileKeepsTheMode(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.yaml")
	writeFile(t, name, "old")
	if err := os.Chmod(name, 0o444); err != nil {
		t.Fatal(err)
	}
	want, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := ReplaceFile(name, []byte("new")); err != nil {
		t.Skipf("a file that is read-only can't be replaced here: %v", err)
	}
	got, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if got.Mode() != want.Mode() {
		t.Errorf("its mode is %v, want %v", got.Mode(), want.Mode())
	}
}

func TestReplaceFileFails(t *testing.T) {
	folder := t.TempDir()
	// A folder with something in it can't be replaced by a file.
	writeFile(t, filepath.Join(folder, "a.yaml", "inner"), "")
	err := ReplaceFile(filepath.Join(folder, "a.yaml"), []byte("new"))
	if err == nil || !strings.HasPrefix(err.Error(), "write ") {
		t.Errorf("the error is %v", err)
	}
	wantAlone(t, folder, "a.yaml")

	err = ReplaceFile(filepath.Join(folder, "missing", "a.yaml"), []byte("new"))
	if err == nil || !strings.HasPrefix(err.Error(), "write ") {
		t.Errorf("the error is %v", err)
	}
}

func TestSnapshotRestores(t *testing.T) {
	folder := t.TempDir()
	first, second := filepath.Join(folder, "first"), filepath.Join(folder, "second")
	writeFile(t, first, "1")
	writeFile(t, second, "2")
	taken, err := TakeSnapshot(first, second)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, first, "changed")
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	if err := taken.Restore(); err != nil {
		t.Fatal(err)
	}
	if readFile(t, first) != "1" || readFile(t, second) != "2" {
		t.Error("a file is not what it was")
	}
	if _, err := TakeSnapshot(filepath.Join(folder, "missing")); err == nil {
		t.Error("a snapshot holds a file that is not there")
	}
}

func TestSnapshotLeavesAloneWhatHasNotChanged(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a")
	writeFile(t, name, "1")
	before, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := TakeSnapshot(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := taken.Restore(); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) {
		t.Error("it is another file, want the same")
	}
}

func wantAlone(t *testing.T, folder, name string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("the folder holds %v, want only %s", entries, name)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
