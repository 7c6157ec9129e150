package vcs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/internal/visible"
)

// umask is the one of this process, which can only be read by setting it.
var umask = sync.OnceValue(func() os.FileMode {
	mask := unix.Umask(0o077)
	unix.Umask(mask)
	return os.FileMode(mask)
})

// describeEnvironment returns the file that keeps what the commands of o print
// here. They are run once for each backup, host and list of commands.
func (b *Backup) describeEnvironment(ctx context.Context, o BackupOptions) (string, error) {
	if len(o.Environment) == 0 {
		return "", nil
	}
	host, _ := os.Hostname()
	sum := sha256.Sum256([]byte(strings.Join(o.Environment, "\x00")))
	path := filepath.Join(b.Dir+environmentSuffix, host+"-"+hex.EncodeToString(sum[:4]))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", err
	}
	var text bytes.Buffer
	for _, command := range o.Environment {
		fmt.Fprintf(&text, "$ %s\n", command)
		cmd := exec.CommandContext(ctx, "sh", "-c", command)
		cmd.Dir, cmd.Env = b.Dir, o.Environ
		var complaints bytes.Buffer
		cmd.Stdout, cmd.Stderr = &text, &complaints
		if err := cmd.Run(); err != nil {
			fmt.Fprintf(&text, "(%v)\n%s", err, complaints.Bytes())
			if o.Notice != nil {
				line, _, _ := strings.Cut(strings.TrimSpace(complaints.String()), "\n")
				o.Notice(fmt.Sprintf("version_manager.environment: %s: %v: %s", visible.Text(command), err, visible.Text(line)))
			}
		}
	}
	return path, writeWhole(path, text.Bytes())
}

// LockFileGlobs name the files by which package managers fix versions.
var LockFileGlobs = []string{
	"requirements*.txt", "poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "environment*.yml", "environment*.yaml", "conda-lock.yml", "pixi.lock",
	"package-lock.json", "yarn.lock", "pnpm-lock.yaml", "Cargo.lock", "go.sum", "Manifest.toml", "renv.lock", "Gemfile.lock", "flake.lock",
}

// LockFiles returns the SHA-256 of the files in dir that match one of the globs,
// by name.
func LockFiles(dir string, globs []string) (map[string]string, error) {
	sums := map[string]string{}
	for _, glob := range globs {
		paths, err := fs.Glob(os.DirFS(dir), filepath.ToSlash(glob))
		if err != nil {
			return nil, fmt.Errorf("version_manager.lock_files: %s: %w", glob, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(filepath.Join(dir, path))
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EISDIR) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("version_manager.lock_files: %w", err)
			}
			sum := sha256.Sum256(text)
			sums[path] = hex.EncodeToString(sum[:])
		}
	}
	return sums, nil
}
