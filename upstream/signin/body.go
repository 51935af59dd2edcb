package signin

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"

	"github.com/go-resty/resty/v2"
)

// errBody says that a whole body came, and that it cannot be used.
var errBody = errors.New("signin: body is too large, or not what its Content-Encoding says")

// readBody reads the body of a response, limit bytes at most, and ends it. Some APIs
// compress although nobody asked for it (RFC 9110 §12.5.3 lets them). What broke on its way
// and what came whole and cannot be read are distinguished: the first may come right next time.
func readBody(r *resty.Response, limit int) ([]byte, error) {
	body := r.RawBody()
	defer body.Close()
	came, err := io.ReadAll(io.LimitReader(body, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(came) <= limit && len(came) > 0 && strings.EqualFold(r.Header().Get("Content-Encoding"), "gzip") {
		came, err = unzip(came, limit)
	}
	if err != nil || len(came) > limit {
		return nil, errBody
	}
	return came, nil
}

func unzip(came []byte, limit int) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(came))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, int64(limit)+1))
}
