package api

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

const defaultBaseURL = "https://api.ngrok.com"

// parseBaseURL returns raw with a clean path that ends in a slash, or says why the key must not be sent there.
// Its errors do not quote what can be a credential.
func parseBaseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	switch {
	case u.User != nil:
		return nil, errors.New("the base URL has user info: leave it out, the API key is what authenticates")
	case u.Scheme == "" || u.Hostname() == "":
		return nil, fmt.Errorf("the base URL %q has no scheme or no host: write it as in %q", raw, defaultBaseURL)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("the base URL %q has a query or a fragment, which requests cannot carry: leave it out", raw)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("the base URL %q would send the API key unencrypted: use https; "+
			"http is for localhost, 127.0.0.0/8 and ::1 only", raw)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("the base URL %q has the scheme %q: use https", raw, u.Scheme)
	}
	return u.JoinPath("/"), nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() && !ip.Is4In6()
}

// withoutURL drops the URL that net/url quotes in its errors: it can hold user info.
func withoutURL(err error) error {
	var parse *url.Error
	if errors.As(err, &parse) {
		return fmt.Errorf("parse the base URL: %w: write it as in %q", parse.Err, defaultBaseURL)
	}
	return err
}
