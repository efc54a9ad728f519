// Command releasecheck says which version the changes since the last release call for, and whether a given one will
// do.
//
//	go run ./openapi/internal/releasecheck -apidiff PACKAGE@VERSION [-version v1.2.3]
//
// It runs in the folder of go.mod, and needs git. The last release is the greatest version without a pre-release part
// among the tags that the current commit holds. What packages api and api/ngroktest export there is compared with the
// files as they are now. It changes no file and sets no tag.
//
// Semantic versioning decides: a breaking change is the next major version, or the next minor one while the major is
// 0; an addition, or a newer Go in go.mod, is the next minor version; all else is the next patch. A change in what
// calls do shows in no exported name: that is for a person to judge.
//
// The exit status is 0 after success, 1 after a failure and for a version that will not do, 2 after a wrong use of
// the flags.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"example.com/ngrokapi/openapi/internal/tool"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	c := command{root: ".", run: tool.GoCommand, stdout: os.Stdout, stderr: os.Stderr}
	status := c.main(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}

// command is the command with all that it touches.
type command struct {
	root           string // the module's folder
	run            tool.Runner
	stdout, stderr io.Writer
}

// main runs the command and returns its exit status.
func (c command) main(ctx context.Context, args []string) int {
	return tool.ExitStatus(c.stderr, "releasecheck", c.dispatch(ctx, args))
}

func (c command) dispatch(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("releasecheck", flag.ContinueOnError)
	flags.SetOutput(c.stderr)
	apidiff := flags.String("apidiff", "", "`PACKAGE@VERSION` of apidiff")
	version := flags.String("version", "", "the version to check, as in v1.2.3 or v1.3.0-rc.1")
	if err := tool.ParseFlags(flags, args); err != nil {
		return err
	}
	if *apidiff == "" {
		return fmt.Errorf("read the flags: -apidiff is missing, which make release-check passes: %w", tool.ErrUsage)
	}
	return c.check(ctx, *apidiff, *version)
}

func (c command) check(ctx context.Context, apidiff, version string) error {
	now, err := readModule(c.root)
	if err != nil {
		return err
	}
	if version != "" {
		if err := checkVersion(version, now.path); err != nil {
			return err
		}
	}
	tags, err := releaseTags(ctx, c.root)
	if err != nil {
		return err
	}
	asked := release{path: now.path, tags: tags}
	if last := tags.last(); last == "" {
		err = c.print("last release: none")
	} else {
		asked.since, err = c.changes(ctx, apidiff, last, now)
	}
	if err != nil {
		return err
	}
	uncommitted, err := git(ctx, c.root, "status", "--porcelain")
	if err != nil {
		return fmt.Errorf("look for what is not committed: %w", err)
	}
	if uncommitted != "" {
		uncommitted = ", once all is committed"
	}
	verdict := asked.verdict()
	if err := c.print("", "verdict: "+verdict.text); err != nil {
		return err
	}
	if version == "" {
		return nil
	}
	if err := asked.accept(verdict, version); err != nil {
		return err
	}
	return c.print(version + " will do" + uncommitted)
}

func (c command) print(lines ...string) error {
	_, err := fmt.Fprintln(c.stdout, strings.Join(lines, "\n"))
	return err
}
