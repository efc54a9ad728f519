// Command update brings openapi/ngrok.yaml up to date with ngrok's own OpenAPI document.
//
//	go run ./openapi/update [-upstream URL|FILE] [-add A,B] [-all] [-check]
//
// It runs in the folder of go.mod and needs git. It cuts the operations that the header of openapi/ngrok.yaml names out
// of upstream's document, and compares the result with what is committed. Nothing is written unless that succeeds. Git
// is the way back: "git checkout HEAD -- openapi/ngrok.yaml api/client.gen.go".
//
// With -oasdiff and -apidiff, as in "make update", it goes on to regenerate the client, shows what changed on the wire
// and for Go callers, runs the client's tests, and ends with a verdict: the kind of release that the change calls for.
// A client that cannot be generated or compiled, or that fails its tests, is a major change. The files stay as they
// are, for a person to repair.
//
// The exit status is 0 after success, 1 after a failure or a major change and where -check found a difference, 2 after
// wrong use of the flags. With -allow-breaking it is 0 after a major change that passes the tests.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.upstream, "upstream", "", "`URL|FILE` of upstream's document (default: the Source in the header of "+fragmentFile+")")
	flag.Func("add", "also keep these operations, `A,B`, from now on", func(list string) error {
		o.add = splitList(list)
		return nil
	})
	flag.BoolVar(&o.all, "all", false, "keep every operation from now on")
	flag.BoolVar(&o.check, "check", false, "write nothing; exit 1 if upstream differs from what is committed")
	flag.StringVar(&o.oasdiff, "oasdiff", "", "`PACKAGE@VERSION` of oasdiff, to compare the documents")
	flag.StringVar(&o.apidiff, "apidiff", "", "`PACKAGE@VERSION` of apidiff, to compare the clients")
	flag.BoolVar(&o.allowBreaking, "allow-breaking", false, "exit 0 also after a breaking change")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "update: unexpected argument %q; -h lists the flags\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	c := command{root: ".", source: newSource(), today: time.Now().UTC().Format(time.DateOnly), run: runProgram, stdout: os.Stdout}
	err := c.update(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "update:", err)
		os.Exit(1)
	}
}

// options are the values of the flags.
type options struct {
	upstream         string // "" for the URL in the header
	add              []string
	all, check       bool
	oasdiff, apidiff string // as go run takes them; "" to write the fragment only
	allowBreaking    bool
}

// command is the command, with everything that it depends on.
type command struct {
	root   string // the module's folder, which is the repository's
	source source
	today  string // as in 2006-01-02
	run    runner
	stdout io.Writer
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

// makeCommand returns the command that does the same as o and adds operations.
func (o options) makeCommand(add ...string) string {
	command := "make update"
	if o.upstream != "" {
		command += " UPSTREAM='" + o.upstream + "'"
	}
	if add = append(add, o.add...); len(add) > 0 {
		command += " ADD=" + strings.Join(add, ",")
	}
	if o.all {
		command += " ALL=1"
	}
	return command
}

// A runner runs a program in a folder. The program's output goes to stdout; its stderr is part of the error.
type runner func(ctx context.Context, folder string, stdout io.Writer, program string, args ...string) error

func runProgram(ctx context.Context, folder string, stdout io.Writer, program string, args ...string) error {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, stdout, &stderr
	// After an interrupt, programs that the go command started may hold its output open.
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(fmt.Sprintf("%v\n%s", err, stderr.Bytes()))
		return fmt.Errorf("%s %s: %s", program, strings.Join(args, " "), text)
	}
	return nil
}
