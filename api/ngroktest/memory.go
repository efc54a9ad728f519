package ngroktest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing/iotest"
)

// transport is an [http.RoundTripper] that calls a handler in its caller's goroutine.
type transport struct{ handler http.Handler }

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	// Write and read the request, so that the handler gets it as a server receives it.
	var wire bytes.Buffer
	if err := req.Write(&wire); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx) // as net/http does
	}
	received, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		return nil, err
	}
	received.RemoteAddr = "192.0.2.1:1234" // that of httptest.NewRequest
	rec := httptest.NewRecorder()
	completed := serve(t.handler, rec, received.WithContext(ctx))
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case !completed:
		return nil, io.ErrUnexpectedEOF
	}
	rsp := rec.Result()
	rsp.Request = req
	if rsp.ContentLength > int64(rec.Body.Len()) { // as over a socket
		rsp.Body = io.NopCloser(io.MultiReader(rsp.Body, iotest.ErrReader(io.ErrUnexpectedEOF)))
	}
	return rsp, nil
}

// serve calls a handler. It returns false if the handler breaks the connection: it panics with
// http.ErrAbortHandler.
func serve(handler http.Handler, w http.ResponseWriter, r *http.Request) (completed bool) {
	defer func() {
		v := recover()
		if err, _ := v.(error); v != nil && !errors.Is(err, http.ErrAbortHandler) {
			panic(v)
		}
	}()
	handler.ServeHTTP(w, r)
	return true
}
