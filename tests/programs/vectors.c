// SPDX-License-Identifier: GPL-2.0
/*
 * vectors DEVICE WRITES: writes to a device, each time with values of its own in all
 * vector registers, which must still be there when the write is done. It ends with 1
 * where they are not.
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
	unsigned long words[REGISTERS][4];
};

/* pwrite(2), with nothing between it and the registers. */
static long write_with(int fd, const void *from, size_t len, off_t at,
		       const struct registers *in, struct registers *out)
{
	register long r10 asm("r10") = at;
	long result;

	asm volatile(".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
		     "vmovdqu 32*\\n(%[in]), %%ymm\\n\n\t"
		     ".endr\n\t"
		     "syscall\n\t"
		     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
		     "vmovdqu %%ymm\\n, 32*\\n(%[out])\n\t"
		     ".endr"
		     : "=a"(result)
		     : "a"((long)SYS_pwrite64), "D"((long)fd), "S"(from),
		       "d"(len), "r"(r10), [in] "r"(in), [out] "r"(out)
		     : "rcx", "r11", "memory", "ymm0", "ymm1", "ymm2", "ymm3",
		       "ymm4", "ymm5", "ymm6", "ymm7", "ymm8", "ymm9", "ymm10",
		       "ymm11", "ymm12", "ymm13", "ymm14", "ymm15");
	return result;
}

int main(int argc, char **argv)
{
	struct registers in, out;
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
		for (size_t word = 0; word < sizeof(in) / 8; word++)
			in.words[word / 4][word % 4] =
				(unsigned long)random() << 32 | random();
		if (write_with(fd, page, SIZE, (off_t)(i % 16) * SIZE, &in,
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
