// JSch.
import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.Session;

class Jsch {
  public static void main(String[] words) throws Exception {
    Session session = new JSch().getSession("guest", "127.0.0.1", Integer.parseInt(words[0]));
    session.setConfig("StrictHostKeyChecking", "no");
    session.connect();
    try {
      ChannelExec channel = (ChannelExec) session.openChannel("exec");
      channel.setCommand("probe who");
      channel.connect();
      channel.getInputStream().transferTo(System.out);
    } finally {
      session.disconnect();
    }
  }
}
