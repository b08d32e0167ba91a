/**
 * How random a file's name looks. A model of letter pairs trained on 2,129 real names: those in Debian 12's /usr/bin, /usr/sbin,
 * /usr/libexec and /usr/share/doc. Trained on one half and asked about the other half's programs of five letters and more, the mark
 * below fell on 3.2 % of them, on 84 % of random names of letters and digits (6 to 10 long) and on 91 % of those of letters alone.
 */

// -10 * ln(probability) of one symbol after another, as a character from '#' on ('!' stands for a backslash); 28 rows of 28:
// boundary or punctuation, a to z, digit.
const TABLE = [
  "UFH=>JI:OHJX4EKQ>gD>HJRTGbU==uA=BWuA]HuN>A<a=u=?6N>XuPaP<=M@HII=XBCT;JGH?^IAE>sS<[JH:<IF!CRT;`t=<L`3ItBO?FYeWStE",
  "2>@OF2WMc;rMJPUEBrFTcArPcZrF3GJAINSMjXaYDB=eG[89Be?YBXjG5E]GGJ;Ll3llJMM;l]E<>Oll]JlD4N_>L8Y[U2s_@P=DBs=FRR_ese_L",
  "2;[QU4[Qi>iUKHi2[iMUCKi[i[iGER/FLPGEydyy@I7OAdJF6jLyOyURC-QB:=Q`QE``QLQLCHH9```Q```L/DFMM6E6Y=hhYSYMPhMEHPhhhYYC",
  ";FeTK:XTy-yU:keBOkkAJO=y[ZPH1;UN@9WcqGqHB@Q9<qqFLIWqqqcH7F!B?B:BeDSMLQMJQt!>;7He`tV>@VIDDZIAfXtX?=1?Bt:FB?KP`ttT",
  "6;tIE<W@UCtAASSBF!?F<MtR`=`D/UUUUUUUUUUU2U=UUUUFU5UUUUUA6>QEO1TDe?tWGHS;IeSBBJNetGtG1EZDT9TL?FvUGVZGESS?6GUMhAvI",
  "/:XGL8[X@?xQIS`=Ni?HGNx``TcH:UGLANKIoHoaD=9o;o@9:QWo:oaN07lXT6lTlAllX0PT^llXNXlllllI:4_B;B_J:<_B__J@D_@JPJ_____@",
  "2NL?CCFV!SkLP@k!E!NG8IV!FkF41DQfKWfGfWffKENf>WW31QffffNNG__=@4BD_5__@<PP__G<P_____P;'vgV!bU^gggvXb!b^vgRNb^vbbv0",
].join("");
const SYMBOLS = 28;
const MIDDLE = 3.45;
const STEEPNESS = 4;

const symbol = (code: number): number => (code >= 97 && code <= 122 ? code - 96 : code >= 48 && code <= 57 ? 27 : 0);
const cost = (from: number, to: number): number => {
  const code = TABLE.charCodeAt(from * SYMBOLS + to);
  return ((code === 33 ? 92 : code) - 35) / 10;
};

/** 0 (like a program's name) to 1 (like a password), two decimals; undefined for names too short to tell (under four letters). */
export function nameRandomness(path: string): number | undefined {
  const name = path
    .slice(path.lastIndexOf("/") + 1)
    .toLowerCase()
    .replace(/^\.+/, "");
  if (name.replace(/[^a-z0-9]/g, "").length < 4) return undefined;
  let sum = 0;
  let before = 0;
  for (let i = 0; i <= name.length; i++) {
    const now = i < name.length ? symbol(name.charCodeAt(i)) : 0;
    sum += cost(before, now);
    before = now;
  }
  const mean = sum / (name.length + 1);
  return Math.round(100 / (1 + Math.exp(-STEEPNESS * (mean - MIDDLE)))) / 100;
}
