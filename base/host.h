// SPDX-License-Identifier: Apache-2.0
// This host and its processes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace remixer {

std::string host_name();
// Id of this boot. A different one does not prove a reboot: two machines may share a host name.
std::string boot_id();
// The namespace of this process's pids ("pid:[4026531836]"); a container has its own. Empty if it
// cannot be read.
std::string pid_namespace();
// When the process was started, in clock ticks since boot; 0 if there is no such process. Detects a
// pid that was reused.
int64_t process_started(int64_t pid);
// False if there is no such process on this host, or only a zombie.
bool process_alive(int64_t pid);
// Raises the open-file limit of this process and its children to the hard limit, at most 65536. The
// usual soft limit of 1024 is too low for a data set of a thousand archives.
void raise_open_file_limit();
// The cores that this process may run on, by number; at least one.
std::vector<int> own_cores();

}  // namespace remixer
