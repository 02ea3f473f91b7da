// SPDX-License-Identifier: Apache-2.0
// A device that stands in for a GPU: its memory is the host's and its arithmetic is the CPU's, so
// results are the CPU's. But as on a GPU, an operation that mixes its tensors with the CPU's throws
// an exception that names it, and whatever would make the host wait for a GPU is counted. It does
// not show what only a GPU can: whether copies and kernels that run beside each other race, and
// whether a copy that need not be waited for comes from pinned memory, as it must.
#pragma once

#include <c10/core/Device.h>

#include <map>
#include <memory>
#include <string>

#include "core/distributed/device_graph.h"

namespace remixer::testing {

// Of a device type that this LibTorch knows as dense, like CUDA, but brings no kernels for.
// Registered as long as the program runs.
inline const c10::Device kStandIn{c10::DeviceType::HPU, 0};

// What made the host wait for the device since the last call, or on a GPU would have made it:
// operators by name, with how often they did. Copies to the host, numbers that it read, copies to
// the device that are not asked to run beside it, operators whose result's size depends on values,
// and waits for events and streams. Any thread.
std::map<std::string, int> take_host_waits();

// A recording of the device's operations. As with a CUDA graph, what is recorded does not run:
// memory that was there before is as it was, and memory that the recording made holds NaN until it
// is repeated. Repeating calls the same operations on the same memory with the same numbers. What
// would make the host wait for the device, or copies from the host, throws while it records.
std::unique_ptr<training::DeviceGraph> make_stand_in_graph();

}  // namespace remixer::testing
