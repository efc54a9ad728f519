package openapi_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestDepartures(t *testing.T) {
	const whole = `"agent_version":"","credential":{"id":"","uri":""},"id":"","ip":"","os":"","region":"",` +
		`"started_at":"","transport":"","uri":""`
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   []string // patterns that the points begin with
	}{
		{"none", 200, `{` + whole + `,"metadata":""}`, nil},
		{"missing field", 200, `{` + whole + `}`, []string{"missing field: /metadata"}},
		{"unknown field", 200, `{` + whole + `,"metadata":"","host":{}}`, []string{"unknown field: /host, which is an object"}},
		{"within a reference", 200, strings.Replace(`{`+whole+`,"metadata":""}`, `"id":"",`, `"ids":[],`, 1), []string{
			"missing field: /credential/id", "unknown field: /credential/ids, which is an array"}},
		{"violations", 200, strings.NewReplacer(`"os":""`, `"os":1`, `"ip":""`, `"ip":{}`).Replace(`{` + whole + `,"metadata":""}`), []string{
			`violation: (?s:.*)"/ip"`, `violation: (?s:.*)"/os"`}},
		{"undefined status", 404, `{"msg":""}`, []string{"violation: GET /tunnel_sessions/\\{id}: the document does not define the status 404"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := request("GET", "http://127.0.0.1/tunnel_sessions/ts_1")
			header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
			got := validator(t).Departures(req, test.status, header, []byte(test.body))
			if !slices.EqualFunc(got, test.want, func(point, pattern string) bool {
				return regexp.MustCompile("^" + pattern).MatchString(point)
			}) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
