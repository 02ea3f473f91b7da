// This host and its processes.
#pragma once

#include <cstdint>
#include <string>

namespace remixer::coordinator {

std::string host_name();
// Of this boot of this host: a process of another boot is gone for certain.
std::string boot_id();
// False once there is no such process on this host, or only its remains (a zombie).
bool process_alive(int64_t pid);
// Lets this process and its children open as many files as the system's hard limit says, at most
// 65536. The usual soft limit of 1024 is too few for a data set of a thousand archives.
void raise_open_file_limit();

}  // namespace remixer::coordinator
