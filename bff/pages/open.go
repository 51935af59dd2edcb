package pages

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
)

// file is an open regular file.
type file struct {
	fs.File
	io.ReaderAt
	info fs.FileInfo
}

// openFile opens a regular file. Neither a file nor an error: there is none, or a rule
// refuses it. Every other error is [problem.PagesUnreadable]: a file that cannot be
// opened at the moment is not one that does not exist, and browsers, caches and people
// remember a 404.
func (p *Pages) openFile(name string) (*file, error) {
	f, err := p.Files.Open(name)
	switch {
	case p.isAbsent(err):
		return nil, nil
	case err != nil:
		return nil, unreadable(err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, unreadable(err)
	}
	at, ok := f.(io.ReaderAt)
	if !ok || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, nil
	}
	return &file{f, at, info}, nil
}

// absences are what the system says where there is no such file: nothing of that name,
// a file in place of a folder, a name that no file can have, links in a circle, a socket
// or a device.
var absences = []error{fs.ErrNotExist, fs.ErrInvalid, syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.EINVAL, syscall.EILSEQ, syscall.ELOOP, syscall.ENXIO, syscall.ENODEV}

func (p *Pages) isAbsent(err error) bool {
	return err != nil && (errors.Is(err, p.outside) || slices.ContainsFunc(absences, func(absent error) bool { return errors.Is(err, absent) }))
}

// outsideOf is what a root says of a path that leads out of it. Package os has no name for
// that error, but it is always the same one.
func outsideOf(root *os.Root) error {
	_, err := root.Lstat("..")
	return errors.Unwrap(err)
}

// unreadable is a fault of the disk or the process. Its text lacks the file's name, which
// came with the request.
func unreadable(err error) error {
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("%w: the application's files: %w", problem.PagesUnreadable, err)
}

// validators are the time of the last change, and a tag made of that and the size. The coding
// is part of the tag, because two forms may be equal in both. Where no time is known the tag is
// made of the content; a file too large to be read for that has none.
func (f *file) validators(coding string) (http1.Validators, error) {
	v := http1.Validators{Changed: f.info.ModTime()}
	switch {
	case v.HasTime():
		v.ETag = fmt.Sprintf(`"%x-%x%s"`, v.Changed.UnixNano(), f.info.Size(), coding)
	case f.info.Size() <= maxDocument:
		content, err := f.content()
		if err != nil {
			return v, err
		}
		v.ETag = http1.ContentTag(content)
	}
	return v, nil
}

// content is the beginning of a file, as much of it as a document may be long.
func (f *file) content() ([]byte, error) {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, min(f.info.Size(), maxDocument)))
	if err != nil {
		return nil, unreadable(err)
	}
	return b, nil
}
