// Command update brings openapi/ngrok.yaml up to date with ngrok's own OpenAPI document.
//
//	go run ./openapi/update [-upstream URL|FILE] [-add A,B] [-all] [-check]
//
// It runs in the folder of go.mod. It keeps the operations that openapi/ngrok.yaml has, cuts out the rest, and
// writes the file only when the result is valid and means something else than before. A failure leaves every file
// as it was.
//
// With -regenerate, as in "make update", it goes on to regenerate the client, shows what changed on the wire and for
// Go callers, runs the tests, and ends with the kind of release that the change asks for. A failure of a tool, of the
// generator or of the compiler on the regenerated package brings every file back. A breaking change and a test that
// fails leave the changed files for review, but the exit status is 1; -allow-breaking makes it 0 for the former.
//
// The exit status is 0 after success, 1 after a failure and where -check found a difference, 2 after a wrong use of
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
	"syscall"
	"time"

	"example.com/ngrokapi/openapi/internal/tool"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	c := command{
		updater: updater{root: ".", source: newSource(), today: func() string { return time.Now().UTC().Format(time.DateOnly) }},
		run:     tool.GoCommand,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
	}
	status := c.main(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}

// command is the command with all that it touches.
type command struct {
	updater
	run            tool.Runner
	stdout, stderr io.Writer
}

// main runs the command and returns its exit status.
func (c command) main(ctx context.Context, args []string) int {
	return tool.ExitStatus(c.stderr, "update", c.dispatch(ctx, args))
}

func (c command) dispatch(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("update", flag.ContinueOnError)
	flags.SetOutput(c.stderr)
	upstream := flags.String("upstream", "", "`URL|FILE` of the whole upstream document (default: the Source in the header of "+vendoredFile+")")
	add := flags.String("add", "", "also keep these operations, `A,B`, from now on")
	all := flags.Bool("all", false, "keep every operation")
	check := flags.Bool("check", false, "write nothing; exit 1 if upstream differs from what is vendored")
	regenerate := flags.Bool("regenerate", false, "also regenerate the client, show what changed, and test")
	oasdiff := flags.String("oasdiff", "", "`PACKAGE@VERSION` of oasdiff, for -regenerate")
	apidiff := flags.String("apidiff", "", "`PACKAGE@VERSION` of apidiff, for -regenerate")
	allowBreaking := flags.Bool("allow-breaking", false, "with -regenerate, exit 0 also after a breaking change")
	if err := tool.ParseFlags(flags, args); err != nil {
		return err
	}
	switch {
	case *check && *regenerate:
		return fmt.Errorf("read the flags: -check and -regenerate exclude each other: %w", tool.ErrUsage)
	case *regenerate && (*oasdiff == "" || *apidiff == ""):
		return fmt.Errorf("read the flags: -regenerate needs -oasdiff and -apidiff, as make update passes them: %w", tool.ErrUsage)
	}
	prepared, err := c.prepare(ctx, request{upstream: *upstream, add: splitList(*add), all: *all})
	if err != nil {
		return err
	}
	if *regenerate {
		pinned := tools{oasdiff: *oasdiff, apidiff: *apidiff}
		return c.regenerate(ctx, prepared, pinned, *allowBreaking)
	}
	if !prepared.differs {
		return c.print(prepared.summary())
	}
	if *check {
		return fmt.Errorf("check %s: upstream differs from it; run make update", vendoredFile)
	}
	if err := c.write(prepared); err != nil {
		return err
	}
	return c.print(prepared.summary() + "; regenerate the client with go generate ./...")
}

func (c command) print(lines ...string) error {
	_, err := fmt.Fprintln(c.stdout, strings.Join(lines, "\n"))
	return err
}

// splitList returns the items of a comma-separated list.
func splitList(list string) []string {
	var items []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
