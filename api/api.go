// Package api is a client for the ngrok API. TODO
package api
