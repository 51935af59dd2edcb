package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// A file store is looked through page by page before the library maps it. The
// library trusts what it reads: a damaged page makes it read beyond the file, walk
// in circles or panic in a goroutine of its own, and each of these ends the process.
//
// The layout is that of bbolt's file format, version 2, in the machine's byte order:
// two meta pages, then the pages of a tree of buckets and one list of free pages.
// Each page has 16 bytes in front: id, kind, number of elements, and how many more
// pages it runs on for.
const (
	pageHeader   = 16
	pageElement  = 16
	pageBranch   = 0x01
	pageLeaf     = 0x02
	pageFreelist = 0x10
	bucketHeader = 16
	isBucket     = 0x01

	metaMagic   = 0xED0CDAED
	metaVersion = 2
	metaSize    = 64 // checksum included
	manyFree    = 0xFFFF
)

// fileMeta is a meta page: where the newest tree begins and how far the pages go.
type fileMeta struct {
	pageSize             uint32
	root, freelist, high uint64
	txid                 uint64
}

// filePages reads a file's pages and notes which of them belong to something.
type filePages struct {
	file io.ReaderAt
	meta fileMeta
	used []bool
}

// element is a key with a value, in a leaf, or with a page below it, in a branch.
type element struct {
	key, value []byte
	bucket     bool
	child      uint64
}

// newFilePages reads the meta pages of a file of that size. Both must be whole: the
// older one alone would bring back what ended last.
func newFilePages(file io.ReaderAt, size int64) (*filePages, error) {
	first, err := readMeta(file, 0)
	if err != nil {
		return nil, fmt.Errorf("page 0: %w", err)
	}
	second, err := readMeta(file, int64(first.pageSize))
	if err != nil {
		return nil, fmt.Errorf("page 1: %w", err)
	}
	newest := first
	if second.txid > first.txid {
		newest = second
	}
	if second.pageSize != first.pageSize || newest.high < 4 || newest.high > uint64(size)/uint64(newest.pageSize) {
		return nil, fmt.Errorf("the file has %d bytes, %d pages of %d are missing some", size, newest.high, newest.pageSize)
	}
	p := &filePages{file: file, meta: newest, used: make([]bool, newest.high)}
	p.used[0], p.used[1] = true, true
	return p, nil
}

func readMeta(file io.ReaderAt, at int64) (m fileMeta, err error) {
	b := make([]byte, metaSize)
	if _, err := file.ReadAt(b, at+pageHeader); err != nil {
		return m, fmt.Errorf("not readable: %w", err)
	}
	order := binary.NativeEndian
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSize-8]) // never fails
	if order.Uint32(b) != metaMagic || order.Uint32(b[4:]) != metaVersion || order.Uint64(b[metaSize-8:]) != sum.Sum64() {
		return m, errors.New("not a sound head of a session file")
	}
	m = fileMeta{pageSize: order.Uint32(b[8:]), root: order.Uint64(b[16:]), freelist: order.Uint64(b[32:]),
		high: order.Uint64(b[40:]), txid: order.Uint64(b[48:])}
	if m.pageSize < 512 || m.pageSize > 1<<20 {
		return m, errors.New("the page size is not possible")
	}
	return m, nil
}

// page reads one page with all it runs on for. No page may belong to two things.
func (p *filePages) page(id uint64) ([]byte, error) {
	if id >= p.meta.high {
		return nil, fmt.Errorf("page %d: beyond the end", id)
	}
	var head [pageHeader]byte
	size := int64(p.meta.pageSize)
	if _, err := p.file.ReadAt(head[:], int64(id)*size); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	more := uint64(binary.NativeEndian.Uint32(head[12:]))
	if binary.NativeEndian.Uint64(head[:]) != id || id+more >= p.meta.high {
		return nil, fmt.Errorf("page %d: its head is wrong", id)
	}
	for i := id; i <= id+more; i++ {
		if err := p.use(i); err != nil {
			return nil, err
		}
	}
	body := make([]byte, int64(more+1)*size)
	if _, err := p.file.ReadAt(body, int64(id)*size); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	return body, nil
}

func (p *filePages) use(id uint64) error {
	if id >= p.meta.high || p.used[id] {
		return fmt.Errorf("page %d: used twice, or beyond the end", id)
	}
	p.used[id] = true
	return nil
}

// elements takes a branch or a leaf apart. Keys rise, and stay from low to below
// high where these are given: the library searches by them.
func elements(body, low, high []byte) (all []element, branch bool, err error) {
	if len(body) < pageHeader {
		return nil, false, errors.New("a page is too short")
	}
	order := binary.NativeEndian
	kind, n := order.Uint16(body[8:]), int(order.Uint16(body[10:]))
	branch = kind == pageBranch
	data := pageHeader + n*pageElement
	if !branch && kind != pageLeaf || branch && n == 0 || data > len(body) {
		return nil, false, errors.New("a page is of no known kind")
	}
	for i := range n {
		e, ok := elementAt(body, pageHeader+i*pageElement, data, branch)
		if !ok {
			return nil, false, errors.New("an element reaches beyond its page")
		}
		if i > 0 && bytes.Compare(e.key, all[i-1].key) <= 0 || bytes.Compare(e.key, low) < 0 || high != nil && bytes.Compare(e.key, high) >= 0 {
			return nil, false, errors.New("keys are out of order")
		}
		all = append(all, e)
	}
	return all, branch, nil
}

// elementAt reads the element whose description is at at; no data lies before data.
func elementAt(body []byte, at, data int, branch bool) (e element, ok bool) {
	order := binary.NativeEndian
	word := func(i int) uint64 { return uint64(order.Uint32(body[at+4*i:])) }
	pos, key, value, flags := word(1), word(2), word(3), word(0)
	if branch {
		pos, key, value, flags = word(0), word(1), 0, 0
		e.child = order.Uint64(body[at+8:])
	}
	begin := uint64(at) + pos
	if begin < uint64(data) || begin+key+value > uint64(len(body)) || key == 0 || flags > isBucket {
		return e, false
	}
	e.key, e.value = body[begin:begin+key], body[begin+key:begin+key+value]
	e.bucket = flags == isBucket
	return e, true
}

// tree hands over the elements of the leaves at and below a page.
func (p *filePages) tree(id uint64, low, high []byte, leaf func(element) error) error {
	body, err := p.page(id)
	if err != nil {
		return err
	}
	all, branch, err := elements(body, low, high)
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	for i, e := range all {
		switch {
		case !branch:
			err = leaf(e)
		case i+1 < len(all):
			err = p.tree(e.child, e.key, all[i+1].key, leaf)
		default:
			err = p.tree(e.child, e.key, high, leaf)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// buckets names every bucket of the file, and hands over its keys and values.
func (p *filePages) buckets(begin func(bucket string), each func(bucket string, key, value []byte) error) error {
	return p.tree(p.meta.root, nil, nil, func(e element) error {
		if !e.bucket || len(e.value) < bucketHeader {
			return errors.New("something that is not a bucket lies among the buckets")
		}
		begin(string(e.key))
		leaf := func(inner element) error {
			if inner.bucket {
				return errors.New("a bucket is in a bucket")
			}
			return each(string(e.key), inner.key, inner.value)
		}
		root := binary.NativeEndian.Uint64(e.value)
		if root != 0 {
			return p.tree(root, nil, nil, leaf)
		}
		return inline(e.value[bucketHeader:], leaf)
	})
}

// inline reads a bucket so small that its one page is in its parent's.
func inline(body []byte, leaf func(element) error) error {
	all, branch, err := elements(body, nil, nil)
	if err == nil && branch {
		err = errors.New("a bucket without a page of its own has branches")
	}
	for i := 0; err == nil && i < len(all); i++ {
		err = leaf(all[i])
	}
	return err
}

// complete reads the list of free pages. Every page belongs to the tree or is free:
// else the library would give out a page that is in use.
func (p *filePages) complete() error {
	body, err := p.page(p.meta.freelist)
	if err != nil {
		return err
	}
	order := binary.NativeEndian
	n, at := uint64(order.Uint16(body[10:])), pageHeader
	if n == manyFree {
		n, at = order.Uint64(body[pageHeader:]), pageHeader+8
	}
	if order.Uint16(body[8:]) != pageFreelist || n > uint64(len(body)-at)/8 {
		return fmt.Errorf("page %d: not a list of free pages", p.meta.freelist)
	}
	for i := range int(n) {
		if err := p.use(order.Uint64(body[at+8*i:])); err != nil {
			return err
		}
	}
	for id, used := range p.used {
		if !used {
			return fmt.Errorf("page %d: belongs to nothing", id)
		}
	}
	return nil
}
