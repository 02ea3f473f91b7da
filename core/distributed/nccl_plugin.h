// GPU ranks: NCCL behind Communicator. Built into libremixer_cuda.so, which is loaded only where a
// GPU is to be used, so that programs start and link without CUDA.
#pragma once

#include <filesystem>
#include <memory>

#include "core/distributed/mpi_communicator.h"

namespace remixer::training {

constexpr const char* kCudaLibrary = "libremixer_cuda.so";

// Collective over `rendezvous`, which must outlive the result: rank 0's store is found over MPI,
// bytes and agreements keep going over MPI, tensors on `device` (this rank's GPU) over NCCL. Loads
// libremixer_cuda.so from `folder`. Throws InputError where it was not built, and Error where the
// machine has no usable GPU (with LibTorch's reason).
std::unique_ptr<Communicator> load_nccl_communicator(const std::filesystem::path& folder,
                                                     MpiCommunicator& rendezvous, int device);

// GPUs that LibTorch can use here: 0 without a driver. Loads the library as above.
int count_gpus(const std::filesystem::path& folder);

// What the library exports under these names, with C linkage. The caller owns the result.
constexpr const char* kNcclFactory = "remixer_make_nccl_communicator";
using NcclFactory = Communicator* (*)(MpiCommunicator* rendezvous, int device);
constexpr const char* kGpuCounter = "remixer_count_gpus";
using GpuCounter = int (*)();

}  // namespace remixer::training
