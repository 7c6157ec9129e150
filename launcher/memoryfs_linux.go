package launcher

import "golang.org/x/sys/unix"

// memoryFS names the kind of a file system that is in the memory of this host, ""
// if that of path is not one.
func memoryFS(path string) string {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return ""
	}
	switch st.Type {
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.RAMFS_MAGIC:
		return "ramfs"
	}
	return ""
}
