// Command modulepath gives the module another path: in go.mod, in imports, and wherever else a text file of the
// module's folder has it.
//
//	go run ./openapi/internal/modulepath git.example.org/you/ngrokapi
//
// It runs in the folder of go.mod, which holds the path that the module has now. If a file can't be written, all are
// as they were.
//
// The exit status is 0 after success, 1 after a failure, 2 after a wrong use.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"example.com/ngrokapi/openapi/internal/tool"
)

func main() {
	os.Exit(run(".", os.Args[1:], os.Stdout, os.Stderr))
}

func run(root string, args []string, stdout, stderr io.Writer) int {
	if len(args) != 1 || args[0] == "" {
		_, _ = fmt.Fprintln(stderr, "usage: make module-path MODULE=git.example.org/you/ngrokapi")
		return 2
	}
	report, err := renameModule(root, args[0], tool.ReplaceFile)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "modulepath:", err)
		return 1
	}
	_, _ = fmt.Fprintln(stdout, report)
	return 0
}

// renameModule gives the module in the folder root the path to, and says what it did.
func renameModule(root, to string, write func(name string, content []byte) error) (report string, err error) {
	from, err := currentPath(root)
	if err != nil {
		return "", err
	}
	if err := checkPath(to, from.required); err != nil {
		return "", err
	}
	if from.path == to {
		return "the module path is " + to + " already", nil
	}
	changed, err := plan(root, from.path, to)
	if err != nil {
		return "", err
	}
	var names []string
	for _, file := range changed {
		names = append(names, file.name)
	}
	before, err := tool.TakeSnapshot(names...)
	if err != nil {
		return "", err
	}
	for _, file := range changed {
		if err := write(file.name, file.content); err != nil {
			return "", restored(err, before.Restore())
		}
	}
	return fmt.Sprintf("the module path was %s and is %s: %d files changed", from.path, to, len(changed)), nil
}

// restored is the error of a rename that failed with err, and after which bringing the files back failed or not.
func restored(err, failure error) error {
	if failure != nil {
		return errors.Join(err, fmt.Errorf("bring the other files back: %w; take them from version control", failure))
	}
	return fmt.Errorf("%w; every file is as it was", err)
}
