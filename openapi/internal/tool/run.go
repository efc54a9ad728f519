package tool

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A Runner runs the go command in a folder. It writes what that prints to stdout; the rest is part of the error.
type Runner func(ctx context.Context, folder string, stdout io.Writer, args ...string) error

// GoCommand is the [Runner] that runs the go command which is on the path.
func GoCommand(ctx context.Context, folder string, stdout io.Writer, args ...string) error {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = folder
	cmd.Env = childEnvironment()
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	// After an interrupt, programs that the go command had started may hold its output open.
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(fmt.Sprintf("%v\n%s", err, stderr.Bytes()))
		return fmt.Errorf("go %s: %s", strings.Join(args, " "), text)
	}
	return nil
}

// childEnvironment is the environment without the variable that make passes on. The tests of this command have
// another use for it, in which they would run this command again.
func childEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(each string) bool { return strings.HasPrefix(each, "UPSTREAM=") })
}
