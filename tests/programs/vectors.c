// SPDX-License-Identifier: GPL-2.0
/*
 * vectors DEVICE WRITES: writes to a device, each time with values of its own in all
 * vector registers, which must still be there when the write is done. It ends with 1
 * if they are not. On a CPU without AVX, the registers are half as wide.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE (64 * 1024)
#define REGISTERS 16

struct registers {
	unsigned int words[REGISTERS][8];
};

/* pwrite(2), with nothing between it and the registers. */
static long write_with(int avx, int fd, const void *from, size_t len, off_t at,
		       const struct registers *in, struct registers *out)
{
	register long r10 asm("r10") = at;
	long result;

	asm volatile("test %[avx], %[avx]\n\t"
		     "jz 1f\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
		     "vmovdqu 32*\\n(%[in]), %%ymm\\n\n\t"
		     ".endr\n\t"
		     "syscall\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
		     "vmovdqu %%ymm\\n, 32*\\n(%[out])\n\t"
		     ".endr\n\t"
		     "jmp 2f\n"
		     "1:\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
		     "movdqu 32*\\n(%[in]), %%xmm\\n\n\t"
		     ".endr\n\t"
		     "syscall\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
		     "movdqu %%xmm\\n, 32*\\n(%[out])\n\t"
		     ".endr\n"
		     "2:"
		     : "=a"(result)
		     : "a"((long)SYS_pwrite64), "D"((long)fd), "S"(from),
		       "d"(len),
		       "r"(r10), [in] "r"(in), [out] "r"(out), [avx] "r"(avx)
		     : "rcx", "r11", "cc", "memory", "xmm0", "xmm1", "xmm2",
		       "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
		       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	return result;
}

int main(int argc, char **argv)
{
	int avx = __builtin_cpu_supports("avx");
	struct registers in = {}, out = {};
	int fd, i, writes;
	void *page;

	if (argc != 3)
		return 2;
	writes = atoi(argv[2]);
	fd = open(argv[1], O_WRONLY | O_DIRECT);
	if (fd < 0 || posix_memalign(&page, 4096, SIZE)) {
		perror(argv[1]);
		return 2;
	}
	memset(page, 'x', SIZE);
	srandom(getpid());

	for (i = 0; i < writes; i++) {
		for (int n = 0; n < REGISTERS; n++)
			for (int word = 0; word < (avx ? 8 : 4); word++)
				in.words[n][word] = random();
		if (write_with(avx, fd, page, SIZE, (off_t)(i % 16) * SIZE, &in,
			       &out) != SIZE) {
			fprintf(stderr, "write %d failed\n", i);
			return 2;
		}
		if (memcmp(&in, &out, sizeof(in))) {
			fprintf(stderr, "write %d changed vector registers\n",
				i);
			return 1;
		}
	}
	return 0;
}
