package command

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// storeAdvice adds the likely cure to what a Redis, or its TLS, answered.
func storeAdvice(err error) error {
	said := strings.TrimPrefix(err.Error(), "session: store: ")
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var cure string
	switch {
	case errors.As(err, &unknown):
		cure = "certificate not trusted: add ?ca=FILE to the store URL"
	case errors.As(err, &name):
		cure = "the certificate is for another name: add ?server_name=NAME to the store URL"
	case strings.Contains(said, "does not look like a TLS handshake"):
		cure = "the server does not speak TLS: redis:// instead of rediss://?"
	case strings.HasPrefix(said, "TLS with server") && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)): // a plain Redis waits for more
		cure = "no answer to the TLS handshake: redis:// instead of rediss://?"
	case strings.Contains(said, "NOAUTH"):
		cure = "password required: redis://:PASSWORD@HOST"
	case strings.Contains(said, "WRONGPASS"):
		cure = "wrong user name or password; special characters are percent-encoded (@ is %40)"
	case strings.Contains(said, "NOPERM"):
		cure = "this user may not run a command that Coatcheck needs: docs/redis.md lists them"
	case strings.HasPrefix(said, "dial unix") && errors.Is(err, os.ErrNotExist):
		cure = "no socket there: is Redis running, with unixsocket set to this path?"
	case strings.HasPrefix(said, "dial unix") && errors.Is(err, os.ErrPermission):
		cure = "this user may not open the socket: its rights (unixsocketperm) and its folder's decide, often by the group redis"
	case errors.Is(err, io.EOF) || strings.HasSuffix(said, "EOF"):
		cure = "the server closed the connection: if it speaks TLS, use rediss://"
	default:
		return errors.New(said)
	}
	return fmt.Errorf("%s (%s)", cure, said)
}
