// SPDX-License-Identifier: Apache-2.0
// Choosing a device on machines whose GPU is in some way not to be had: no driver, a driver without
// cards, GPU parts that do not load. One rank; the loader, LibTorch and MPI are the real ones.
#include "core/distributed/choose_device.h"

#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "base/error.h"
#include "base/file.h"
#include "core/distributed/cuda_library.h"
#include "core/distributed/device_communicator.h"
#include "tests/support/program.h"

namespace remixer::training {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ChooseDeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(devices());
    // What a driver shows, with no card behind it.
    write_file_atomic(devices() / "nvidiactl", "");
  }
  fs::path devices() const { return scratch_ / "dev"; }
  ChosenDevice choose(const std::string& wish, const fs::path& folder) {
    return choose_device(wish, folder, world_, devices());
  }
  std::string refusal(const fs::path& folder) {
    try {
      choose("cuda", folder);
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing was refused";
  }

  testing::ScratchFolder scratch_{"device"};
  MpiCommunicator world_{20};
};

TEST_F(ChooseDeviceTest, WithoutADriverTheCpu) {
  fs::remove(devices() / "nvidiactl");
  const auto chosen = choose("auto", scratch_.path());
  EXPECT_EQ(chosen.gpu, nullptr);
  EXPECT_THAT(chosen.reason, StartsWith("on the CPU: "));
  EXPECT_THAT(chosen.reason, HasSubstr("no NVIDIA GPU, or no driver"));
  EXPECT_GE(chosen.cores, 1);
  EXPECT_THAT(refusal(scratch_.path()), HasSubstr("(--device cuda)"));
}

TEST_F(ChooseDeviceTest, GpuPartsThatWereNotBuiltAreAReason) {
  EXPECT_THAT(choose("auto", scratch_.path()).reason, HasSubstr("no GPU parts"));
  EXPECT_THAT(refusal(scratch_.path()), HasSubstr("run REMIXER_CUDA=ON ./setup"));
}

TEST_F(ChooseDeviceTest, GpuPartsThatDoNotLoadAreAReasonAndTheCpuServes) {
  write_file_atomic(scratch_ / kCudaLibrary, "not a library");
  const auto chosen = choose("auto", scratch_.path());
  EXPECT_EQ(&chosen.communicator(world_), &world_);
  EXPECT_THAT(chosen.reason, HasSubstr("cannot be loaded"));
  EXPECT_THAT(refusal(scratch_.path()), HasSubstr("cannot be loaded"));
}

#ifdef REMIXER_CUDA_FOLDER
// The whole of libremixer_cuda.so, with every library that it names, into a program that exports
// nothing.
TEST_F(ChooseDeviceTest, GpuPartsLoadWithoutAGpu) {
  if (!CudaLibrary(REMIXER_CUDA_FOLDER).gpus().empty()) GTEST_SKIP() << "there is a GPU";
  EXPECT_THAT(choose("auto", REMIXER_CUDA_FOLDER).reason, HasSubstr("no usable GPU to LibTorch"));
  EXPECT_THAT(refusal(REMIXER_CUDA_FOLDER), HasSubstr("no usable GPU to LibTorch"));
  // CUDA's complaint, not the loader's.
  EXPECT_THROW(CudaLibrary(REMIXER_CUDA_FOLDER).make_graph(), c10::Error);
}
#endif

TEST_F(ChooseDeviceTest, OneRankOnADeviceHasNothingToSum) {
  int made = 0;
  DeviceCommunicator alone(world_, at::kMeta, {}, [&made]() -> std::unique_ptr<DeviceGraph> {
    ++made;
    return nullptr;
  });
  EXPECT_EQ(alone.make_graph(), nullptr);
  EXPECT_EQ(made, 1);
  at::Tensor tensor = at::ones({3}, at::TensorOptions().device(at::kMeta));
  alone.all_reduce_sum(tensor);
  EXPECT_FALSE(alone.process_group());
  EXPECT_EQ(alone.device(), at::Device(at::kMeta));
}

}  // namespace
}  // namespace remixer::training

int main(int argc, char** argv) {
  const remixer::training::MpiSession session(&argc, &argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
