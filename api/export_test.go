package api

// CloseIdleConnections closes those of the HTTP client that Doers without one share.
func CloseIdleConnections() { defaultClient().CloseIdleConnections() }
