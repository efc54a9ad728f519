package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	fragmentFile = "openapi/ngrok.yaml"
	clientFile   = "api/client.gen.go"
)

// revision is the fragment before and after an update.
type revision struct {
	committed, present, next []byte // the file at HEAD, in the work tree, and after the update
	same                     bool   // whether next holds the same document as committed
}

// update updates the fragment and reports what changes.
func (c command) update(ctx context.Context, o options) error {
	rev, err := c.prepare(ctx, o)
	if err != nil {
		return err
	}
	switch {
	case rev.same:
		fmt.Fprintf(c.stdout, "%s: no change\n", fragmentFile)
	case o.check:
		return fmt.Errorf("check %s: upstream differs from what is committed; run %s", fragmentFile, o.makeCommand())
	default:
		fmt.Fprintf(c.stdout, "%s: changed\n", fragmentFile)
	}
	if o.check {
		return nil
	}
	if !bytes.Equal(rev.next, rev.present) {
		if err := os.WriteFile(filepath.Join(c.root, fragmentFile), rev.next, 0o644); err != nil {
			return fmt.Errorf("write the fragment: %w", err)
		}
	}
	if o.oasdiff == "" {
		fmt.Fprintln(c.stdout, "to regenerate the client, run make generate")
		return nil
	}
	verdict, err := c.report(ctx, o, rev)
	if ctx.Err() != nil {
		return fmt.Errorf("stopped: %w; to do the rest, run %s", errors.Join(ctx.Err(), err), o.makeCommand())
	}
	fmt.Fprintf(c.stdout, "\nverdict: %s\n", verdict)
	if err == nil && strings.HasPrefix(verdict, "major") && !o.allowBreaking {
		err = fmt.Errorf("the change is breaking; to accept it, run %s BREAKING=allow", o.makeCommand())
	}
	if err != nil {
		return fmt.Errorf("%w\n%s and %s are as upstream makes them: repair what that breaks and commit everything,"+
			" or go back with git checkout HEAD -- %[2]s %[3]s", err, fragmentFile, clientFile)
	}
	return nil
}

// prepare returns the new revision. It writes nothing.
func (c command) prepare(ctx context.Context, o options) (revision, error) {
	var committed bytes.Buffer
	if err := c.run(ctx, c.root, &committed, "git", "show", "HEAD:"+fragmentFile); err != nil {
		return revision{}, fmt.Errorf("read what is committed: %w; run this in the folder of go.mod, in a git repository", err)
	}
	present, err := os.ReadFile(filepath.Join(c.root, fragmentFile))
	if err != nil {
		return revision{}, fmt.Errorf("read the fragment: %w; bring it back with git checkout HEAD -- %s", err, fragmentFile)
	}
	header, _ := splitHeader(present)
	keep := splitList(field(header, "Operations"))
	if len(keep) == 0 {
		return revision{}, fmt.Errorf(`read the fragment: its header does not say what to keep; write a line`+
			` "# Operations: A, B" with operation IDs, or "# Operations: *", to the top of %s`, fragmentFile)
	}
	location := o.upstream
	if location == "" {
		location = field(header, "Source")
	}
	data, from, err := c.source.readEither(ctx, location)
	if err != nil {
		return revision{}, fmt.Errorf("read upstream: %w; check the URL or the name of the file, or try again later", err)
	}
	if from != location {
		fmt.Fprintf(c.stdout, "%s is not there: %s is read instead\n", location, from)
	}
	if o.upstream == "" {
		header = setField(header, "Source", from)
	}
	upstream, err := readDocument(ctx, data)
	if err != nil {
		return revision{}, fmt.Errorf("read upstream: %w; it must be a whole OpenAPI 3 document in YAML or JSON: check %s,"+
			" or try again later", err, from)
	}
	if keep, err = upstream.choose(o, keep); err != nil {
		return revision{}, fmt.Errorf("choose operations: %w", err)
	}
	fragment, err := upstream.cut(ctx, keep)
	if err != nil {
		return revision{}, fmt.Errorf("cut the fragment out of upstream: %w", err)
	}

	committedHeader, committedFragment := splitHeader(committed.Bytes())
	same := committedFragment == string(fragment)
	date, sum := c.today, fmt.Sprintf("%x", sha256.Sum256(data))
	if same {
		date, sum = field(committedHeader, "Retrieved"), field(committedHeader, "SHA-256")
	}
	header = setField(header, "Retrieved", date)
	header = setField(header, "SHA-256", sum)
	header = setField(header, "Operations", strings.Join(keep, ", "))
	return revision{committed.Bytes(), present, append([]byte(header), fragment...), same}, nil
}
