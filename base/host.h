// SPDX-License-Identifier: Apache-2.0
// This host and its processes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace remixer {

std::string host_name();
// Of this boot of this machine. Another one proves nothing: two machines may have one name.
std::string boot_id();
// The namespace that this process's pids are counted in ("pid:[4026531836]"); a container has one
// of its own. Empty where it cannot be told.
std::string pid_namespace();
// When the process was started, in clock ticks since boot; 0 where there is none. A pid that was
// given out again shows by it.
int64_t process_started(int64_t pid);
// False once there is no such process on this host, or only its remains (a zombie).
bool process_alive(int64_t pid);
// Lets this process and its children open as many files as the system's hard limit says, at most
// 65536. The usual soft limit of 1024 is too few for a data set of a thousand archives.
void raise_open_file_limit();
// The processors that this process may run on, by number; at least one.
std::vector<int> own_cores();

}  // namespace remixer
