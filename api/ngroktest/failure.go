package ngroktest

import (
	"fmt"
	"net/http"
	"strings"
)

// A failure is an error as ngrok answers it. Its texts and statuses are those that ngrok's documentation and users
// show; ngrok may change the texts.
type failure struct {
	status  int
	code    string // left out where empty
	message string
	path    string // in place of the operation ID in the details, where not empty
}

var resourceNotFound = failure{status: http.StatusNotFound, message: "Resource not found"}

// pathNotFound is the answer to an unknown path and to a wrong method alike.
func pathNotFound(path string) failure {
	return failure{status: http.StatusNotFound, message: "Not Found", path: path}
}

// refuse returns the answer to a request without a valid key or version.
func refuse(r *http.Request) (failure, bool) {
	authorization := r.Header.Get("Authorization")
	scheme, key, _ := strings.Cut(authorization, " ")
	switch {
	case authorization == "":
		return failure{status: http.StatusForbidden, code: "ERR_NGROK_200",
			message: "The API authentication you specified was missing: set the Authorization header."}, true
	case !strings.EqualFold(scheme, "Bearer") || !strings.Contains(key, "_"):
		// ngrok quotes what it got, so clients have to keep it out of their logs.
		return failure{status: http.StatusForbidden, code: "ERR_NGROK_202",
			message: fmt.Sprintf("The API authentication you specified does not look like an ngrok API key.\nYour authentication: %q", key)}, true
	case key != APIKey:
		return failure{status: http.StatusForbidden, code: "ERR_NGROK_203",
			message: "The API authentication you specified does not belong to any known account."}, true
	}
	switch version := r.Header.Get("Ngrok-Version"); version {
	case "":
		return failure{status: http.StatusBadRequest, code: "ERR_NGROK_218",
			message: "You must specify an API version with the Ngrok-Version header."}, true
	case "2":
		return failure{}, false
	default:
		// The status of this one is not known. That of the missing version is the best guess.
		return failure{status: http.StatusBadRequest, code: "ERR_NGROK_217",
			message: fmt.Sprintf("The API version %q is not supported.", version)}, true
	}
}

func (f failure) write(w http.ResponseWriter, operation string) {
	details := map[string]any{"operation_id": operation}
	if f.path != "" {
		details = map[string]any{"path": f.path}
	}
	body := map[string]any{"status_code": f.status, "msg": f.message, "details": details}
	if f.code != "" {
		body["error_code"] = f.code
	}
	write(w, f.status, marshal(body))
}
