// This host and its processes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace remixer::coordinator {

std::string host_name();
// Of this boot of this host: a process of another boot is gone for certain.
std::string boot_id();
// False once there is no such process on this host, or only its remains (a zombie).
bool process_alive(int64_t pid);
// The processors that this process may run on, by number; at least one.
std::vector<int> own_cores();

}  // namespace remixer::coordinator
