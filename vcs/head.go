// Package vcs is the code's version: what git knows of the directory that a
// run is made from.
package vcs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Head is what a repository's files say of its present version. Reading them
// takes no git process.
type Head struct {
	Root   string // of the work tree, absolute
	Path   string // of the directory asked about, in Root; "." for Root itself
	Commit string // empty in a repository with no commit yet, or if it is stored in a way that only git reads
	Branch string // empty if HEAD is detached
}

// FindHead returns the head of the repository that dir is in, and whether there
// is one. A .git that cannot be read counts as none.
func FindHead(dir string) (Head, bool) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Head{}, false
	}
	for root := dir; ; root = filepath.Dir(root) {
		gitDir, ok := gitDir(filepath.Join(root, ".git"))
		if ok {
			path, err := filepath.Rel(root, dir)
			if err != nil {
				return Head{}, false
			}
			h := Head{Root: root, Path: path}
			h.Commit, h.Branch = readHead(gitDir)
			return h, true
		}
		if root == filepath.Dir(root) {
			return Head{}, false
		}
	}
}

// gitDir follows a .git file, as worktrees and submodules have one
// (gitrepository-layout(5)).
func gitDir(path string) (string, bool) {
	text, err := os.ReadFile(path)
	if err == nil {
		target, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
		if !ok {
			return "", false
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	} else if errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	_, err = os.Stat(filepath.Join(path, "HEAD"))
	return path, err == nil
}

func readHead(gitDir string) (commit, branch string) {
	text, err := os.ReadFile(filepath.Join(gitDir, "HEAD"))
	if err != nil {
		return "", ""
	}
	ref, symbolic := strings.CutPrefix(strings.TrimSpace(string(text)), "ref: ")
	if !symbolic {
		return hash(ref), ""
	}
	branch = strings.TrimPrefix(ref, "refs/heads/")
	common := gitDir // refs of a worktree are in the main repository's directory
	if text, err := os.ReadFile(filepath.Join(gitDir, "commondir")); err == nil {
		common = strings.TrimSpace(string(text))
		if !filepath.IsAbs(common) {
			common = filepath.Join(gitDir, common)
		}
	}
	if text, err := os.ReadFile(filepath.Join(common, filepath.FromSlash(ref))); err == nil {
		return hash(strings.TrimSpace(string(text))), branch
	}
	return packed(filepath.Join(common, "packed-refs"), ref), branch
}

// packed finds ref in a packed-refs file.
func packed(path, ref string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if commit, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name == ref {
			return hash(commit)
		}
	}
	return ""
}

// hash returns text if it is a commit's name, SHA-1 or SHA-256.
func hash(text string) string {
	if len(text) != 40 && len(text) != 64 || strings.Trim(text, "0123456789abcdef") != "" {
		return ""
	}
	return text
}
